select
    store_id,
    store_name,
    city,
    country,
    sales_region,
    store_format,
    time_zone,
    currency,
    floor_area_m2,
    employee_count,
    manager_name,
    opened_on,
    closed_on,
    opened_on <= {{ as_of() }} and coalesce(closed_on > {{ as_of() }}, true) as is_open
from {{ ref('stg_stores') }}
