select
    id as store_id,
    name as store_name,
    city,
    {{ country_name('country_code') }} as country,
    sales_region,
    store_format,
    time_zone,
    currency,
    floor_area_m2,
    employee_count,
    manager as manager_name,
    opened_on,
    closed_on
from {{ ref('raw_stores') }}
