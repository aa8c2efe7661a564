select (sum(amount) - sum(case when status = 'completed' then amount end)) * 1.0 / nullif(count(*), 0) as open_revenue_per_orders_count
from marts.orders
