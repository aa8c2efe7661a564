select customer_name
from marts.customers
where customer_id in (
select customer_id
from marts.orders where ordered_at >= date '2025-02-01'
group by 1
having count(*) >= 2
)
