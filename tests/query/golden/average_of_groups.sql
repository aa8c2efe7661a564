select avg(revenue) as average_revenue
from (
select cast(date_trunc('month', ordered_at) as date) as ordered_at_month,
sum(amount) as revenue
from marts.orders
group by 1
order by ordered_at_month asc
) as per_group
