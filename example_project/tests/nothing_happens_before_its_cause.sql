-- Deliveries follow orders, refunds follow requests, replies follow tickets, nothing lies after today.
select 'delivery' as kind, order_id as id from {{ ref('orders') }} where delivered_on < order_date
union all
select 'refund', return_id from {{ ref('returns') }} where refunded_on < requested_on
union all
select 'reply', ticket_id from {{ ref('support_tickets') }} where first_responded_at < opened_at
union all
select 'future', order_id from {{ ref('orders') }} where order_date > {{ as_of() }}
