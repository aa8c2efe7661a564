-- Tickets answered within their target in the last 90 days, by team and priority.
select
    agent_team,
    priority,
    count(*) as ticket_count,
    round(avg(first_response_hours), 1) as average_response_hours,
    round(100.0 * count(*) filter (where first_response_hours <= first_response_target_hours) / count(*), 1) as within_target_percent
from {{ ref('support_tickets') }}
where opened_on > {{ as_of() }} - 90
    and ticket_status <> 'spam'
    and agent_team is not null
group by agent_team, priority
order by agent_team, priority
