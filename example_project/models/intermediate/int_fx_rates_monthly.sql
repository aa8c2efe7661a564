{{ config(materialized='ephemeral') }}

-- One rate per month and currency; a month missing from the feed takes the last known rate.
with months as (
    select cast(month_start as date) as rate_month
    from generate_series(timestamp '2024-01-01', timestamp '{{ var("as_of_date") }}', interval 1 month) as spine (month_start)
),

currencies as (
    select distinct currency from {{ ref('stg_fx_rates') }}
),

filled as (
    select
        months.rate_month,
        currencies.currency,
        last_value(rates.eur_per_unit ignore nulls) over (
            partition by currencies.currency order by months.rate_month
        ) as eur_per_unit
    from months
    cross join currencies
    left join {{ ref('stg_fx_rates') }} as rates
        on months.rate_month = rates.rate_month
        and currencies.currency = rates.currency
)

select rate_month, currency, eur_per_unit from filled
union all
select rate_month, 'EUR' as currency, 1.0 as eur_per_unit from months
