select
    id as client_id,
    trim(name) as client_name,
    {{ tidy('sector') }} as sector,
    region,
    nullif(trim(account_manager), '') as account_manager,
    cast(signed_up as date) as signed_up_on,
    {{ tidy('source') }} as lead_source,
    terms_days as payment_terms_days,
    is_test = 1 as is_test_client
from {{ ref('raw_clients') }}
