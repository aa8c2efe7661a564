select
    id as family_id,
    trim(parent_name) as parent_name,
    lower(email) as email,
    phone,
    town,
    nullif(lower(trim(heard_from)), '') as heard_from,
    registered_on,
    newsletter = 1 as gets_newsletter,
    payment_method,
    is_test = 1 as is_test_family
from {{ ref('raw_families') }}
