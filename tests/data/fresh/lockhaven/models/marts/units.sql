with current_contracts as (
    select
        unit_id,
        max(contract_id) filter (where contract_status = 'active') as active_contract_id,
        count(*) filter (where contract_status = 'reserved') as reservations,
        max(move_out_on) as last_move_out_on
    from {{ ref('contracts') }}
    where not is_test_contract
    group by unit_id
)

select
    u.unit_id,
    u.site_id,
    u.unit_code,
    u.size_sqft,
    u.size_band,
    u.unit_type,
    u.floor_number,
    u.street_rate_gbp,
    u.last_repriced_on,
    case
        when s.closed_on is not null then 'closed'
        when u.is_out_of_service then 'out_of_service'
        when c.active_contract_id is not null then 'let'
        when c.reservations > 0 then 'reserved'
        else 'vacant'
    end as unit_status,
    s.closed_on is null and not u.is_out_of_service as is_lettable,
    c.active_contract_id as current_contract_id,
    case when c.active_contract_id is null then c.last_move_out_on end as vacant_since
from {{ ref('stg_units') }} as u
inner join {{ ref('stg_sites') }} as s on u.site_id = s.site_id
left join current_contracts as c on u.unit_id = c.unit_id
