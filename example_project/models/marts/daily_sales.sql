{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='daily_sales_id',
        on_schema_change='fail'
    )
}}

with orders as (
    select * from {{ ref('int_orders_enriched') }}
    where order_status <> 'cancelled' and not is_test_order
),

{% if is_incremental() %}
-- A late order or refund changes a day in the past: rebuild every day something new was loaded for.
changed_days as (
    select distinct order_date
    from orders
    where last_loaded_at > (select coalesce(max(last_loaded_at), timestamp '1900-01-01') from {{ this }})
),
{% endif %}

summed as (
    select
        order_date as sales_date,
        order_channel,
        cast(count(*) as integer) as order_count,
        cast(sum(item_count) as integer) as item_count,
        cast(count(*) filter (where customer_order_number = 1) as integer) as first_order_count,
        cast(sum(gross_amount_eur) as decimal(12, 2)) as gross_amount_eur,
        cast(sum(discount_amount_eur) as decimal(12, 2)) as discount_amount_eur,
        cast(sum(refund_amount_eur) as decimal(12, 2)) as refund_amount_eur,
        cast(sum(net_amount_eur) as decimal(12, 2)) as net_amount_eur,
        cast(sum(shipping_fee_eur) as decimal(12, 2)) as shipping_fee_eur,
        max(last_loaded_at) as last_loaded_at
    from orders
    {% if is_incremental() %}
    where order_date in (select order_date from changed_days)
    {% endif %}
    group by order_date, order_channel
)

select
    strftime(sales_date, '%Y%m%d') || '-' || order_channel as daily_sales_id,
    *
from summed
