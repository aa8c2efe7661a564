select count(*) as orders_count
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
where customers.signed_up_on >= date '2025-01-01'
