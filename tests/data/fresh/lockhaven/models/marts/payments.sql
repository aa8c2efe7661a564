select
    p.payment_id,
    p.invoice_id,
    c.contract_id,
    c.tenant_id,
    c.site_id,
    p.received_on,
    p.amount_gbp,
    p.payment_method,
    p.payment_status,
    p.failure_reason,
    c.is_test_contract as is_test_payment
from {{ ref('stg_payments') }} as p
inner join {{ ref('stg_invoices') }} as i on p.invoice_id = i.invoice_id
inner join {{ ref('contracts') }} as c on i.contract_id = c.contract_id
