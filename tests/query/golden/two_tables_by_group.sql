with orders_totals as (
select customers.country as by_group,
sum(orders.amount) as total_0
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
),
order_items_totals as (
select customers.country as by_group,
sum(order_items.quantity) as total_1
from marts.order_items
join marts.orders on order_items.order_id = orders.order_id
join marts.customers on orders.customer_id = customers.customer_id
group by 1
)
select coalesce(orders_totals.by_group, order_items_totals.by_group) as country,
orders_totals.total_0 as revenue,
order_items_totals.total_1 as units
from orders_totals
full join order_items_totals on orders_totals.by_group is not distinct from order_items_totals.by_group
order by country asc
