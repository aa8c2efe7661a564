select count(*) as customers_count
from marts.customers
where (country = 'GB' or customer_id in (
select customer_id
from marts.orders
where status = 'returned'
))
