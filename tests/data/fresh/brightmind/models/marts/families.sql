with children as (
    select family_id, count(*) as pupil_count
    from {{ ref('stg_pupils') }}
    group by family_id
),

bills as (
    select
        family_id,
        sum(amount_gbp) as invoiced_gbp,
        sum(case when invoice_status in ('open', 'overdue') then amount_gbp else 0 end) as balance_owed_gbp
    from {{ ref('invoices') }}
    where invoice_status <> 'void'
    group by family_id
)

select
    f.family_id,
    f.parent_name,
    f.email,
    f.phone,
    f.town,
    f.heard_from,
    f.registered_on,
    f.payment_method,
    f.gets_newsletter,
    coalesce(c.pupil_count, 0) as pupil_count,
    coalesce(b.invoiced_gbp, 0) as invoiced_gbp,
    coalesce(b.balance_owed_gbp, 0) as balance_owed_gbp,
    f.is_test_family
from {{ ref('stg_families') }} as f
left join children as c on f.family_id = c.family_id
left join bills as b on f.family_id = b.family_id
