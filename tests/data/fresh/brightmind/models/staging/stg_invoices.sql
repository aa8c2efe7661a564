select
    id as invoice_id,
    family_id,
    kind as invoice_kind,
    issued_on,
    due_on,
    amount as amount_gbp,
    paid_on,
    status as raw_status
from {{ ref('raw_invoices') }}
