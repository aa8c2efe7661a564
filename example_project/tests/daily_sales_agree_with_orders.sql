-- The incremental aggregate and the orders tell the same story.
with from_orders as (
    select order_date as sales_date, order_channel, count(*) as order_count, sum(net_amount_eur) as net_amount_eur
    from {{ ref('orders') }}
    where not is_test_order and order_status <> 'cancelled'
    group by all
)

select
    from_orders.sales_date,
    from_orders.order_channel
from from_orders
full outer join {{ ref('daily_sales') }} as daily
    on from_orders.sales_date = daily.sales_date
    and from_orders.order_channel = daily.order_channel
where from_orders.order_count is distinct from daily.order_count
    or from_orders.net_amount_eur is distinct from daily.net_amount_eur
