select customer_name
from marts.customers
where customer_id in (
select orders.customer_id
from marts.order_items
join marts.orders on order_items.order_id = orders.order_id
join marts.products on order_items.product_id = products.product_id
where products.category = 'tents'
)
