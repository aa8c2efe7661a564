select cast(day as date) as date_day
from generate_series(timestamp '2023-01-01', timestamp '2026-12-31', interval 1 day) as spine (day)
