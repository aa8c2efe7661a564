select
    id as unit_id,
    site_id,
    code as unit_code,
    sqft as size_sqft,
    case
        when sqft <= 15 then 'locker'
        when sqft <= 40 then 'small'
        when sqft <= 80 then 'medium'
        when sqft <= 130 then 'large'
        else 'extra_large'
    end as size_band,
    lower(kind) as unit_type,
    cast(floor as integer) as floor_number,
    cast(street_rate as decimal(10, 2)) as street_rate_gbp,
    out_of_service = 1 as is_out_of_service,
    cast(repriced_on as date) as last_repriced_on
from {{ ref('raw_units') }}
