select cast(date_trunc('month', ordered_at) as date) as ordered_at_month,
sum(amount) as revenue,
(sum(amount) - lag(sum(amount)) over (order by cast(date_trunc('month', ordered_at) as date))) * 1.0 / nullif(lag(sum(amount)) over (order by cast(date_trunc('month', ordered_at) as date)), 0) as revenue_change
from marts.orders
group by 1
order by ordered_at_month asc
