select customers.country,
sum(orders.amount) as revenue
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
order by revenue desc
limit 1 offset 1
