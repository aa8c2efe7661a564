select
    id as invoice_id,
    job_id,
    client_id,
    cast(issued_on as date) as issued_on,
    cast(due_on as date) as due_on,
    cast(net as decimal(10, 2)) as net_amount_gbp,
    cast(vat as decimal(10, 2)) as vat_amount_gbp,
    cast(paid as decimal(10, 2)) as paid_amount_gbp,
    cast(settled_on as date) as settled_on,
    status as invoice_status
from {{ ref('raw_invoices') }}
