select sum(amount) as revenue,
sum(case when status = 'completed' then amount end) as completed_revenue
from marts.orders
