{{ config(materialized='ephemeral') }}

select
    items.product_id,
    cast(sum(items.quantity) as integer) as units_sold,
    max(orders.order_date) as last_sold_on
from {{ ref('int_order_items_eur') }} as items
inner join {{ ref('int_orders_enriched') }} as orders on items.order_id = orders.order_id
where orders.order_status <> 'cancelled' and not orders.is_test_order
group by items.product_id
