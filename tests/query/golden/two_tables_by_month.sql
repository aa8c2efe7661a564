with orders_totals as (
select cast(date_trunc('month', ordered_at) as date) as by_group,
sum(amount) as total_0
from marts.orders
group by 1
),
order_items_totals as (
select cast(date_trunc('month', shipped_on) as date) as by_group,
sum(quantity) as total_1
from marts.order_items
group by 1
)
select coalesce(orders_totals.by_group, order_items_totals.by_group) as ordered_at_month,
orders_totals.total_0 as revenue,
order_items_totals.total_1 as units
from orders_totals
full join order_items_totals on orders_totals.by_group is not distinct from order_items_totals.by_group
order by ordered_at_month asc
