select cast(date_trunc('month', ordered_at) as date) as ordered_at_month,
sum(sum(amount)) over (order by cast(date_trunc('month', ordered_at) as date) rows between 1 preceding and current row) as rolling_revenue
from marts.orders
where ordered_at >= date '2025-01-01' and ordered_at < date '2025-04-01'
group by 1
qualify ordered_at_month >= date '2025-02-01'
order by ordered_at_month asc
