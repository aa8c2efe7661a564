select
    id as site_id,
    client_id,
    name as site_name,
    kind as site_kind,
    region,
    cast(area_ha as decimal(8, 1)) as area_hectares,
    airspace_clearance = 1 as needs_airspace_clearance,
    cast(added_on as date) as added_on
from {{ ref('raw_sites') }}
