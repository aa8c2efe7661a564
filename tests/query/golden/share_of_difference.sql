select customers.country,
(sum(orders.amount) - sum(case when orders.status = 'completed' then orders.amount end)) * 1.0 / nullif(sum(sum(orders.amount) - sum(case when orders.status = 'completed' then orders.amount end)) over (), 0) as share_of_open_revenue
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1
