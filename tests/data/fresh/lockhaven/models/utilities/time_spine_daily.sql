select cast(day as date) as date_day
from generate_series(timestamp '2022-01-01', cast({{ today() }} as timestamp), interval 1 day) as spine (day)
