-- What each customer has bought; test and cancelled orders do not count.
select
    customer_id,
    cast(count(*) as integer) as order_count,
    min(order_date) as first_order_date,
    max(order_date) as last_order_date,
    cast(sum(net_amount_eur) as decimal(12, 2)) as lifetime_net_revenue_eur
from {{ ref('int_orders_enriched') }}
where counts_for_customer
group by customer_id
