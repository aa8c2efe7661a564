select customers.customer_name
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
having count(*) > 1
