with source as (
    select distinct * from {{ ref('raw_subscription_events') }}
)

select
    id as event_id,
    subscription_id,
    {{ clean_code('event_type') }} as event_type,
    strptime(occurred_at, '%Y-%m-%dT%H:%M:%SZ') as occurred_at,
    nullif(reason, '') as reason,
    loaded_at
from source
