select sum(case when customers.country = 'DE' then orders.amount end) * 1.0 / nullif(sum(orders.amount), 0) as revenue_de_per_revenue
from marts.orders
left join marts.customers on orders.customer_id = customers.customer_id
