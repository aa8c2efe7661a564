select cast(date_trunc('month', ordered_at) as date) as ordered_at_month,
sum(sum(amount)) over (order by cast(date_trunc('month', ordered_at) as date)) as running_revenue
from marts.orders
group by 1
order by ordered_at_month asc
