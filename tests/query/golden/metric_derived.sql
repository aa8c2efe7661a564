select sum(amount) - sum(case when status = 'completed' then amount end) as open_revenue
from marts.orders
