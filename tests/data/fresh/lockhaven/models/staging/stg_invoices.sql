select
    id as invoice_id,
    contract_id,
    kind as invoice_kind,
    cast(issued as date) as issued_on,
    cast(due as date) as due_on,
    cast(amount as decimal(10, 2)) as amount_gbp,
    cast(insurance as decimal(10, 2)) as insurance_part_gbp,
    status = 'void' as is_void
from {{ ref('raw_invoices') }}
