select count(*) as orders_count
from marts.orders
left join marts.customers on orders.customer_id = customers.customer_id
where customers.country is null
