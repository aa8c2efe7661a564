select cast(day as date) as date_day
from generate_series(timestamp '2022-01-01', timestamp '{{ var("as_of_date") }}', interval 1 day) as spine (day)
