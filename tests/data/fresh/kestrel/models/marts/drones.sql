with flown as (
    select drone_id, count(*) as flights_flown, round(sum(flight_minutes) / 60.0, 1) as flight_hours, max(flight_date) as last_flown_on
    from {{ ref('stg_flights') }}
    where flight_outcome = 'flown' and not is_test_flight
    group by drone_id
)
select d.*, coalesce(f.flights_flown, 0) as flights_flown, coalesce(f.flight_hours, 0) as flight_hours, f.last_flown_on
from {{ ref('stg_drones') }} as d
left join flown as f on f.drone_id = d.drone_id
