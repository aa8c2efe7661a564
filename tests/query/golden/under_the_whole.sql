select customers.country
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
having sum(orders.amount) * 1.0 / nullif(count(*), 0) < (
select sum(amount) * 1.0 / nullif(count(*), 0) as average_order_value
from marts.orders
)
