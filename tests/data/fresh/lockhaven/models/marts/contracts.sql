select
    c.contract_id,
    c.tenant_id,
    c.unit_id,
    u.site_id,
    c.signed_on,
    c.planned_move_in_on,
    c.move_in_on,
    c.notice_given_on,
    c.move_out_on,
    c.contract_status,
    c.move_out_reason,
    c.monthly_rent_gbp,
    c.street_rate_at_signing_gbp,
    c.deposit_gbp,
    c.promotion,
    c.pays_by_direct_debit,
    date_diff('day', c.move_in_on, coalesce(c.move_out_on, {{ today() }})) as stay_days,
    t.is_test_tenant as is_test_contract
from {{ ref('stg_contracts') }} as c
inner join {{ ref('stg_units') }} as u on c.unit_id = u.unit_id
inner join {{ ref('stg_tenants') }} as t on c.tenant_id = t.tenant_id
