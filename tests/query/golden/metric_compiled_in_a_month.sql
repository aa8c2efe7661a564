select cumulative_revenue
from (
select date_trunc('month', ordered_at)::date as metric_time__month,
  sum(sum(amount)) over (order by date_trunc('month', ordered_at)) as cumulative_revenue
from marts.orders group by 1, date_trunc('month', ordered_at)
) as metric
where metric_time__month >= date '2025-02-01' and metric_time__month < date '2025-03-01'
order by metric_time__month desc
limit 1
