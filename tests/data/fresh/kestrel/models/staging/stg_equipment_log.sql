select
    id as event_id,
    drone_id,
    kind as event_kind,
    cast(happened_on as date) as happened_on,
    cast(back_on as date) as back_in_service_on,
    cast(cost as decimal(10, 2)) as cost_gbp,
    part,
    {{ tidy('cause') }} as cause,
    insured = 1 as is_insured
from {{ ref('raw_equipment_log') }}
