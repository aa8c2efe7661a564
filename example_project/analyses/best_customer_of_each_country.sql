-- The three customers with the highest lifetime revenue in each country.
select
    country,
    customer_id,
    loyalty_tier,
    order_count,
    lifetime_net_revenue_eur
from {{ ref('customers') }}
where not is_test_account
qualify row_number() over (partition by country order by lifetime_net_revenue_eur desc) <= 3
order by country, lifetime_net_revenue_eur desc
