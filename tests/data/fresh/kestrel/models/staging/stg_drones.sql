select
    id as drone_id,
    name as drone_name,
    model,
    maker,
    base as home_base,
    cast(bought_on as date) as bought_on,
    cast(price as decimal(10, 2)) as purchase_price_gbp,
    max_minutes as max_flight_minutes,
    status as drone_status,
    cast(out_of_fleet_on as date) as out_of_fleet_on
from {{ ref('raw_drones') }}
