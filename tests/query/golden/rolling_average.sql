select cast(date_trunc('month', ordered_at) as date) as ordered_at_month,
avg(sum(amount)) over (order by cast(date_trunc('month', ordered_at) as date) rows between 1 preceding and current row) as rolling_revenue
from marts.orders
group by 1
order by ordered_at_month asc
