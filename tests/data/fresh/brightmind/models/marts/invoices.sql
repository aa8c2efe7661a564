select
    i.invoice_id,
    i.family_id,
    i.invoice_kind,
    i.issued_on,
    i.due_on,
    i.paid_on,
    i.amount_gbp,
    case
        when i.raw_status = 'sent' and i.due_on < cast('{{ var("t2s")["as_of"] }}' as date) then 'overdue'
        when i.raw_status = 'sent' then 'open'
        else i.raw_status
    end as invoice_status,
    date_diff('day', i.issued_on, i.paid_on) as days_to_pay,
    f.is_test_family as is_test_invoice
from {{ ref('stg_invoices') }} as i
inner join {{ ref('stg_families') }} as f on i.family_id = f.family_id
