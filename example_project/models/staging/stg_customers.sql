with source as (
    select * from {{ ref('raw_customers') }}
),

latest as (
    select *
    from source
    qualify row_number() over (partition by id order by loaded_at desc) = 1
)

select
    id as customer_id,
    {{ proper_case('full_name') }} as full_name,
    {{ clean_code('email') }} as email,
    {{ country_name('country') }} as country,
    nullif(trim(city), '') as city,
    {{ clean_code('signup_channel') }} as acquisition_channel,
    campaign_id as acquisition_campaign_id,
    signed_up_at,
    birth_year,
    loyalty_tier,
    coalesce(marketing_opt_in = 1, false) as accepts_marketing,
    language as preferred_language,
    coalesce({{ clean_code('email') }} like '%@fernhill.test', false) as is_test_account,
    loaded_at
from latest
