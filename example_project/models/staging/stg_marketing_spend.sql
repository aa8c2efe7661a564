with source as (
    select * from {{ ref('raw_marketing_spend') }}
),

-- Weeks are first reported as estimates and restated later.
restated as (
    select *
    from source
    qualify row_number() over (partition by id order by loaded_at desc) = 1
)

select
    id as spend_id,
    campaign_id,
    week_start as spend_week,
    {{ clean_code('channel') }} as marketing_channel,
    {{ country_name('country_code') }} as country,
    currency,
    spend,
    impressions,
    clicks,
    is_estimated = 1 as is_estimated,
    loaded_at
from restated
