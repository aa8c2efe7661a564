-- One row for each month at whose end a subscription was running (trial, active or paused).
with months as (
    select
        cast(month_start as date) as month_start,
        least(last_day(cast(month_start as date)), {{ as_of() }}) as month_end
    from generate_series(timestamp '2024-01-01', timestamp '{{ var("as_of_date") }}', interval 1 month) as spine (month_start)
),

state_at_month_end as (
    select
        events.subscription_id,
        months.month_start,
        events.event_type
    from months
    inner join {{ ref('stg_subscription_events') }} as events on cast(events.occurred_at as date) <= months.month_end
    qualify row_number() over (
        partition by events.subscription_id, months.month_start order by events.occurred_at desc, events.event_id desc
    ) = 1
)

select
    subscription_id,
    month_start,
    case event_type
        when 'trial_started' then 'trial'
        when 'paused' then 'paused'
        else 'active'
    end as month_status,
    cast(row_number() over (partition by subscription_id order by month_start) as integer) as month_number,
    month_start = max(month_start) over (partition by subscription_id)
        and month_start < date_trunc('month', {{ as_of() }}) as is_last_month
from state_at_month_end
where event_type not in ('cancelled', 'expired')
