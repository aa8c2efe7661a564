with source as (
    select distinct * from {{ ref('raw_support_tickets') }}
)

select
    id as ticket_id,
    customer_id,
    order_id,
    {{ clean_code('channel') }} as ticket_channel,
    coalesce({{ clean_code('topic') }}, 'other') as topic,
    {{ clean_code('priority') }} as priority,
    {{ clean_code('status') }} as ticket_status,
    strptime(opened_at, '%Y-%m-%dT%H:%M:%SZ') as opened_at,
    strptime(first_responded_at, '%Y-%m-%dT%H:%M:%SZ') as first_responded_at,
    strptime(resolved_at, '%Y-%m-%dT%H:%M:%SZ') as resolved_at,
    satisfaction_score,
    message_count,
    reopen_count,
    agent_name,
    agent_team,
    loaded_at
from source
