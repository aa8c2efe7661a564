select customers.customer_name
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1, customers.customer_id
having count(*) > 1
