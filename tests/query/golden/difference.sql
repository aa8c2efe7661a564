select (sum(amount) - (sum(amount) - sum(case when status = 'completed' then amount end))) as revenue_difference
from marts.orders
