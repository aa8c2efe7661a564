with paid as (
    select
        invoice_id,
        sum(amount_gbp) as paid_gbp,
        max(received_on) as last_received_on
    from {{ ref('stg_payments') }}
    where payment_status = 'cleared'
    group by invoice_id
),

balances as (
    select
        i.*,
        coalesce(p.paid_gbp, 0) as paid_gbp,
        p.last_received_on,
        case when i.is_void then 0 else i.amount_gbp - coalesce(p.paid_gbp, 0) end as balance_gbp
    from {{ ref('stg_invoices') }} as i
    left join paid as p on i.invoice_id = p.invoice_id
)

select
    b.invoice_id,
    b.contract_id,
    c.tenant_id,
    c.site_id,
    b.invoice_kind,
    b.issued_on,
    b.due_on,
    b.amount_gbp,
    b.insurance_part_gbp,
    b.paid_gbp,
    b.balance_gbp,
    case
        when b.is_void then 'void'
        when b.balance_gbp <= 0 then 'paid'
        when b.paid_gbp > 0 then 'part_paid'
        else 'open'
    end as invoice_status,
    case when b.balance_gbp <= 0 and not b.is_void then b.last_received_on end as settled_on,
    b.balance_gbp > 0 and b.due_on < {{ today() }} as is_overdue,
    case
        when b.balance_gbp > 0 and b.due_on < {{ today() }} then date_diff('day', b.due_on, {{ today() }})
    end as days_overdue,
    c.is_test_contract as is_test_invoice
from balances as b
inner join {{ ref('contracts') }} as c on b.contract_id = c.contract_id
