-- Average order value with and without a promotion code, online orders only.
select
    case when promo_code is null then 'without code' else promotion_type end as promotion,
    count(*) as order_count,
    round(avg(gross_amount_eur), 2) as average_gross_eur,
    round(100.0 * sum(discount_amount_eur) / sum(gross_amount_eur), 1) as discount_percent,
    round(100.0 * count(*) filter (where is_first_order) / count(*), 1) as first_order_percent
from {{ ref('orders') }}
where order_channel <> 'store'
    and not is_test_order
    and order_status <> 'cancelled'
group by promotion
order by order_count desc
