select customers.country
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
qualify sum(orders.amount) * 1.0 / nullif(sum(sum(orders.amount)) over (), 0) > 0.5
