select
    spend.spend_id,
    spend.campaign_id,
    spend.spend_week,
    spend.marketing_channel,
    spend.country,
    spend.currency,
    {{ to_eur('spend.spend', 'rates.eur_per_unit') }} as spend_eur,
    spend.impressions,
    spend.clicks,
    spend.is_estimated
from {{ ref('stg_marketing_spend') }} as spend
inner join {{ ref('int_fx_rates_monthly') }} as rates
    on spend.currency = rates.currency
    and cast(date_trunc('month', spend.spend_week) as date) = rates.rate_month
