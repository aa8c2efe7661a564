select
    id as flight_id,
    job_id,
    drone_id,
    pilot_id,
    cast(flight_date as date) as flight_date,
    {{ tidy('outcome') }} as flight_outcome,
    {{ tidy('weather') }} as weather_cause,
    cast(minutes as integer) as flight_minutes,
    cast(covered_ha as decimal(8, 1)) as area_covered_ha,
    cast(photos as integer) as photo_count,
    is_test = 1 as is_test_flight
from {{ ref('raw_flights') }}
