select customer_name
from marts.customers
where customer_id in (
select customer_id
from marts.orders
group by 1
having count(*) >= 2
)
