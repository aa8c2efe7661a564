{{ config(materialized='ephemeral') }}

select
    order_id,
    cast(sum(quantity) as integer) as item_count,
    cast(sum(gross_amount_eur) as decimal(12, 2)) as gross_amount_eur,
    cast(sum(discount_amount_eur) as decimal(12, 2)) as discount_amount_eur,
    max(eur_per_unit) as eur_per_unit
from {{ ref('int_order_items_eur') }}
group by order_id
