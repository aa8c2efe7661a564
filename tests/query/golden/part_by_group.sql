select customers.country,
sum(orders.amount) as revenue,
sum(case when orders.is_gift then orders.amount end) as revenue_is_gift
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
