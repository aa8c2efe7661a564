{{ config(materialized='ephemeral') }}

select
    order_id,
    cast(sum(refund_amount_eur) as decimal(12, 2)) as refund_amount_eur,
    max(loaded_at) as last_return_loaded_at
from {{ ref('int_returns_eur') }}
group by order_id
