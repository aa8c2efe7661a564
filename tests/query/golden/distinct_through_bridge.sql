select products.category,
count(distinct customers.customer_id) as customers_count
from marts.order_items
join marts.products on order_items.product_id = products.product_id
left join marts.orders on order_items.order_id = orders.order_id
left join marts.customers on orders.customer_id = customers.customer_id
group by 1
