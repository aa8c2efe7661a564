select is_gift,
cast(date_trunc('month', ordered_at) as date) as ordered_at_month,
sum(sum(amount)) over (partition by is_gift order by cast(date_trunc('month', ordered_at) as date)) as running_revenue
from marts.orders
group by 1, 2
order by ordered_at_month asc
