select (select sum(revenue) from (
select customers.customer_name,
sum(orders.amount) as revenue
from marts.orders
join marts.customers on orders.customer_id = customers.customer_id
group by 1, customers.customer_id
order by revenue desc
limit 1
) as the_first) * 1.0 / nullif((select sum(revenue) from (
select sum(amount) as revenue
from marts.orders
) as all_of_them), 0) as share_of_revenue
