select customer_name
from marts.customers
where customer_id not in (
select customer_id
from marts.orders where customer_id is not null
group by 1
having count(*) <= 1
)
