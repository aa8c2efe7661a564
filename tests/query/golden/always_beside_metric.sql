select sum(amount) as revenue,
avg(case when status <> 'cancelled' then amount end) as avg_amount
from marts.orders
