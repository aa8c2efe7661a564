with orders_totals as (
select customers.is_member as by_group,
sum(orders.amount) as total_0
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
),
customers_totals as (
select is_member as by_group,
count(*) as total_1
from marts.customers
group by 1
)
select coalesce(orders_totals.by_group, customers_totals.by_group) as is_member,
orders_totals.total_0 as revenue,
customers_totals.total_1 as customers_count
from orders_totals
full join customers_totals on orders_totals.by_group is not distinct from customers_totals.by_group
