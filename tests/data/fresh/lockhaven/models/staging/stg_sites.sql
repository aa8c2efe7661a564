select
    id as site_id,
    trim(name) as site_name,
    trim(town) as town,
    county,
    cast(opened as date) as opened_on,
    cast(closed as date) as closed_on,
    manager as site_manager,
    lettable_sqft as lettable_area_sqft,
    gate_hours
from {{ ref('raw_sites') }}
