select sum(amount) as revenue
from marts.orders
where ordered_at >= date '2025-01-01' and ordered_at < date '2025-02-01'
