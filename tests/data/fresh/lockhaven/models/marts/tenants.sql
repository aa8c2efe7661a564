with stays as (
    select
        tenant_id,
        count(*) filter (where move_in_on is not null) as contracts_to_date,
        count(*) filter (where contract_status = 'active') as active_contracts,
        min(move_in_on) as first_move_in_on
    from {{ ref('contracts') }}
    group by tenant_id
),

debts as (
    select
        tenant_id,
        sum(paid_gbp) as lifetime_paid_gbp,
        sum(balance_gbp) filter (where is_overdue) as arrears_gbp
    from {{ ref('invoices') }}
    group by tenant_id
)

select
    t.tenant_id,
    t.tenant_name,
    t.tenant_type,
    t.email,
    t.phone,
    t.home_town,
    t.acquisition_source,
    t.registered_on,
    t.accepts_marketing,
    s.first_move_in_on,
    coalesce(s.contracts_to_date, 0) as contracts_to_date,
    coalesce(s.active_contracts, 0) as active_contracts,
    coalesce(d.lifetime_paid_gbp, 0) as lifetime_paid_gbp,
    coalesce(d.arrears_gbp, 0) as arrears_gbp,
    t.is_test_tenant
from {{ ref('stg_tenants') }} as t
left join stays as s on t.tenant_id = s.tenant_id
left join debts as d on t.tenant_id = d.tenant_id
