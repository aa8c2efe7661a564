select customers.country,
sum(orders.amount) as revenue
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
having sum(orders.amount) > (
select avg(revenue) from (
select customers.country,
sum(orders.amount) as revenue
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
) as per_group
)
