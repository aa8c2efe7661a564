-- The state each subscription is in after its last event.
with last_event as (
    select *
    from {{ ref('stg_subscription_events') }}
    where cast(occurred_at as date) <= {{ as_of() }}
    qualify row_number() over (partition by subscription_id order by occurred_at desc, event_id desc) = 1
),

trial_end as (
    select
        subscription_id,
        min(occurred_at) filter (where event_type = 'trial_started') as trial_started_at,
        min(occurred_at) filter (where event_type in ('activated', 'cancelled')) as trial_ended_at
    from {{ ref('stg_subscription_events') }}
    group by subscription_id
)

select
    last_event.subscription_id,
    case last_event.event_type
        when 'trial_started' then 'trialing'
        when 'activated' then 'active'
        when 'resumed' then 'active'
        else last_event.event_type
    end as subscription_status,
    case when trial_end.trial_started_at is not null then cast(trial_end.trial_ended_at as date) end as trial_ended_on,
    case when last_event.event_type = 'paused' then cast(last_event.occurred_at as date) end as paused_on,
    case
        when last_event.event_type = 'paused'
            then cast(date_diff('day', cast(last_event.occurred_at as date), {{ as_of() }}) as integer)
    end as paused_days,
    case when last_event.event_type in ('cancelled', 'expired') then cast(last_event.occurred_at as date) end as ended_on,
    case when last_event.event_type = 'cancelled' then coalesce(last_event.reason, 'not_given') end as cancellation_reason
from last_event
left join trial_end on last_event.subscription_id = trial_end.subscription_id
