select
    p.policy_id,
    p.contract_id,
    c.tenant_id,
    c.site_id,
    p.cover_level,
    p.cover_gbp,
    p.monthly_premium_gbp,
    p.started_on,
    p.ended_on,
    p.policy_status,
    c.is_test_contract as is_test_policy
from {{ ref('stg_insurance_policies') }} as p
inner join {{ ref('contracts') }} as c on p.contract_id = c.contract_id
