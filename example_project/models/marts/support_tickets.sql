select
    tickets.ticket_id,
    tickets.customer_id,
    tickets.order_id,
    tickets.ticket_channel,
    tickets.topic,
    tickets.priority,
    tickets.ticket_status,
    tickets.opened_at,
    cast(tickets.opened_at as date) as opened_on,
    tickets.first_responded_at,
    tickets.resolved_at,
    times.first_response_hours,
    times.first_response_target_hours,
    times.resolution_hours,
    tickets.satisfaction_score,
    tickets.message_count,
    tickets.reopen_count,
    tickets.agent_name,
    tickets.agent_team
from {{ ref('stg_support_tickets') }} as tickets
inner join {{ ref('int_ticket_times') }} as times on tickets.ticket_id = times.ticket_id
