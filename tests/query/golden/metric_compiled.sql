select cumulative_revenue
from (
select sum(amount) as cumulative_revenue from marts.orders
) as metric
