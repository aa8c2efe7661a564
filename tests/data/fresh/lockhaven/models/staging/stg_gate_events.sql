select
    id as gate_event_id,
    site_id,
    contract_id,
    cast("at" as timestamp) as happened_at,
    gate,
    case direction when 'in' then 'entry' else 'exit' end as direction,
    result,
    denial_reason,
    code_type
from {{ ref('raw_gate_events') }}
