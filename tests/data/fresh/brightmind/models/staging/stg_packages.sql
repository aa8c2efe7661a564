select
    id as package_id,
    family_id,
    pupil_id,
    package_name,
    hours as hours_bought,
    price as price_gbp,
    bought_on,
    expires_on,
    is_cancelled = 1 as is_cancelled
from {{ ref('raw_packages') }}
