-- The bank delivers some payments twice.
select distinct
    id as payment_id,
    invoice_id,
    cast(received as date) as received_on,
    cast(amount_pence / 100.0 as decimal(10, 2)) as amount_gbp,
    replace(lower(method), ' ', '_') as payment_method,
    status as payment_status,
    failure_reason
from {{ ref('raw_payments') }}
