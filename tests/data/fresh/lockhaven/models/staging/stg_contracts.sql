select
    id as contract_id,
    unit_id,
    tenant_id,
    cast(signed as date) as signed_on,
    cast(planned_move_in as date) as planned_move_in_on,
    cast(move_in as date) as move_in_on,
    cast(notice as date) as notice_given_on,
    cast(move_out as date) as move_out_on,
    cast(rent as decimal(10, 2)) as monthly_rent_gbp,
    cast(street_rate as decimal(10, 2)) as street_rate_at_signing_gbp,
    cast(deposit as decimal(10, 2)) as deposit_gbp,
    promo as promotion,
    status as contract_status,
    leave_reason as move_out_reason,
    direct_debit = 1 as pays_by_direct_debit
from {{ ref('raw_contracts') }}
