select sum(orders.amount) as german_revenue
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
where customers.country = 'DE'
