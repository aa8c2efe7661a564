select cast(date_trunc('month', ordered_at) as date) as ordered_at_month,
(sum(amount) - lag(sum(amount), 2) over (order by cast(date_trunc('month', ordered_at) as date))) * 1.0 / nullif(lag(sum(amount), 2) over (order by cast(date_trunc('month', ordered_at) as date)), 0) as revenue_change
from marts.orders
where ordered_at >= date '2025-01-01'
group by 1
qualify ordered_at_month >= date '2025-03-01'
order by ordered_at_month asc
