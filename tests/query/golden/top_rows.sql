select orders.order_id,
customers.customer_name
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
order by orders.amount desc
limit 2
