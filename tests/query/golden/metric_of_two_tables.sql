with order_items_totals as (
select sum(quantity) as total_0
from marts.order_items
),
orders_totals as (
select count(*) as total_1
from marts.orders
)
select order_items_totals.total_0 * 1.0 / nullif(orders_totals.total_1, 0) as units_per_order
from order_items_totals
cross join orders_totals
