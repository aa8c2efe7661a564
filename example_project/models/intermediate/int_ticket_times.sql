select
    ticket_id,
    {{ hours_between('opened_at', 'first_responded_at') }} as first_response_hours,
    {{ hours_between('opened_at', 'resolved_at') }} as resolution_hours,
    case when priority in ('high', 'urgent') then 4 else 24 end as first_response_target_hours
from {{ ref('stg_support_tickets') }}
