{{ config(materialized='ephemeral') }}

with spend as (
    select
        spend.campaign_id,
        cast(sum({{ to_eur('spend.spend', 'rates.eur_per_unit') }}) as decimal(12, 2)) as spend_to_date_eur
    from {{ ref('stg_marketing_spend') }} as spend
    inner join {{ ref('int_fx_rates_monthly') }} as rates
        on spend.currency = rates.currency
        and cast(date_trunc('month', spend.spend_week) as date) = rates.rate_month
    group by spend.campaign_id
),

acquired as (
    select
        acquisition_campaign_id as campaign_id,
        cast(count(*) as integer) as acquired_customer_count
    from {{ ref('stg_customers') }}
    where acquisition_campaign_id is not null and not is_test_account
    group by acquisition_campaign_id
)

select
    spend.campaign_id,
    spend.spend_to_date_eur,
    coalesce(acquired.acquired_customer_count, 0) as acquired_customer_count
from spend
left join acquired on spend.campaign_id = acquired.campaign_id
