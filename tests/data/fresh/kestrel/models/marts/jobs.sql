with flown as (
    select
        job_id,
        count(*) filter (where flight_outcome = 'flown' and not is_test_flight) as flown_flights,
        count(*) filter (where flight_outcome = 'weather_cancelled' and not is_test_flight) as weather_cancelled_flights
    from {{ ref('stg_flights') }}
    group by job_id
)
select
    j.*,
    coalesce(f.flown_flights, 0) as flown_flights,
    coalesce(f.weather_cancelled_flights, 0) as weather_cancelled_flights
from {{ ref('stg_jobs') }} as j
left join flown as f on f.job_id = j.job_id
