select
    return_id,
    order_item_id,
    order_id,
    product_id,
    customer_id,
    return_method,
    return_reason,
    return_status,
    requested_at,
    cast(requested_at as date) as requested_on,
    received_on,
    refunded_on,
    quantity,
    refund_amount_eur,
    cast(date_diff('day', cast(requested_at as date), refunded_on) as integer) as days_to_refund,
    is_restocked
from {{ ref('int_returns_eur') }}
