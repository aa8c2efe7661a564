select (sum(case when ordered_at >= date '2025-02-01' and ordered_at < date '2025-03-01' then amount end) - sum(case when ordered_at >= date '2025-01-01' and ordered_at < date '2025-02-01' then amount end)) as revenue_from_2025_02_01_difference
from marts.orders
