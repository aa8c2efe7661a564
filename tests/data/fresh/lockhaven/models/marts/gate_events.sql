select
    gate_event_id,
    site_id,
    contract_id,
    happened_at,
    cast(happened_at as date) as event_date,
    extract('hour' from happened_at) as hour_of_day,
    gate,
    direction,
    result,
    denial_reason,
    code_type,
    coalesce(code_type = 'engineer_test', false) as is_engineer_test
from {{ ref('stg_gate_events') }}
