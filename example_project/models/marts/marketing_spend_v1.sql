select
    spend_id,
    campaign_id,
    spend_week,
    marketing_channel as channel,
    country,
    currency,
    spend as spend_local
from {{ ref('stg_marketing_spend') }}
