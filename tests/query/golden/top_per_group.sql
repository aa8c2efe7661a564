select stores.city,
customers.customer_name,
sum(orders.amount) as revenue
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
join marts.stores on orders.store_id = stores.store_id
group by 1, 2, customers.customer_id
qualify row_number() over (partition by stores.city order by sum(orders.amount) desc) <= 1
