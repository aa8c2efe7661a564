select customers.country
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
having sum(orders.amount) * 1.0 > 0.5 * (
select sum(amount) as revenue
from marts.orders
)
