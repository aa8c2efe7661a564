with returned as (
    select
        order_item_id,
        cast(sum(quantity) as integer) as returned_quantity
    from {{ ref('int_returns_eur') }}
    where return_status <> 'rejected'
    group by order_item_id
)

select
    items.order_item_id,
    items.order_id,
    items.product_id,
    items.customer_id,
    orders.order_date,
    items.line_number,
    items.quantity,
    items.unit_price_eur,
    items.gross_amount_eur,
    items.discount_amount_eur,
    items.net_amount_eur,
    items.cost_amount_eur,
    items.margin_amount_eur,
    coalesce(returned.returned_quantity, 0) as returned_quantity,
    returned.order_item_id is not null as is_returned
from {{ ref('int_order_items_eur') }} as items
inner join {{ ref('int_orders_enriched') }} as orders on items.order_id = orders.order_id
left join returned on items.order_item_id = returned.order_item_id
