select
    s.site_id,
    s.site_name,
    s.town,
    s.county,
    s.site_manager,
    s.opened_on,
    s.closed_on,
    s.lettable_area_sqft,
    s.gate_hours,
    count(u.unit_id) as unit_count,
    s.closed_on is null as is_open
from {{ ref('stg_sites') }} as s
left join {{ ref('stg_units') }} as u on s.site_id = u.site_id
group by all
