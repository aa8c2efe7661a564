select customer_name
from marts.customers
where customer_id in (
select customer_id
from marts.orders
where status = 'returned'
)
