select
    id as policy_id,
    contract_id,
    "plan" as cover_level,
    cover as cover_gbp,
    cast(premium as decimal(10, 2)) as monthly_premium_gbp,
    cast(started as date) as started_on,
    cast(ended as date) as ended_on,
    status as policy_status
from {{ ref('raw_insurance_policies') }}
