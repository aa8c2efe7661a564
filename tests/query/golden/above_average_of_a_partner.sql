select order_items.item_id
from marts.order_items
join marts.products on order_items.product_id = products.product_id
where products.price < (select avg(price) from marts.products)
