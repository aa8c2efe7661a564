select
    id as order_item_id,
    order_id,
    line_number,
    product_id,
    quantity,
    unit_price,
    coalesce(discount, 0) as discount,
    loaded_at
from {{ ref('raw_order_items') }}
