select
    i.*,
    net_amount_gbp + vat_amount_gbp as total_amount_gbp,
    case when invoice_status = 'void' then 0 else net_amount_gbp + vat_amount_gbp - paid_amount_gbp end as outstanding_gbp,
    invoice_status in ('open', 'part_paid') and due_on < {{ as_of() }} as is_overdue
from {{ ref('stg_invoices') }} as i
