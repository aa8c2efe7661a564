select distinct customers.country,
stores.city
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
join marts.stores on orders.store_id = stores.store_id
