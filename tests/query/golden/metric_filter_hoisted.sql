select sum(amount) as completed_revenue
from marts.orders
where status = 'completed'
