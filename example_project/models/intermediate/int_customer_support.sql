{{ config(materialized='ephemeral') }}

select
    customer_id,
    cast(count(*) as integer) as support_ticket_count
from {{ ref('stg_support_tickets') }}
where customer_id is not null and ticket_status <> 'spam'
group by customer_id
