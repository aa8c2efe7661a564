select customers.country,
sum(order_items.quantity) as units
from marts.order_items
join marts.orders on order_items.order_id = orders.order_id
join marts.customers on orders.customer_id = customers.customer_id
group by 1
