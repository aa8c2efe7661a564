select order_items.item_id
from marts.order_items
join marts.products on order_items.product_id = products.product_id
where products.price <= (select average from (select category as peer, avg(price) as average from marts.products group by 1) as peers where peer = products.category)
