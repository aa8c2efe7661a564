-- Returns with their order line; refunds are converted at the rate of the order's month.
select
    returns.return_id,
    returns.order_item_id,
    items.order_id,
    items.product_id,
    items.customer_id,
    returns.return_method,
    returns.return_reason,
    returns.return_status,
    returns.requested_at,
    returns.received_on,
    returns.refunded_on,
    returns.quantity,
    case
        when returns.return_status = 'refunded' then {{ to_eur('returns.refund_amount', 'items.eur_per_unit') }}
        else cast(0 as decimal(12, 2))
    end as refund_amount_eur,
    returns.is_restocked,
    returns.loaded_at
from {{ ref('stg_returns') }} as returns
inner join {{ ref('int_order_items_eur') }} as items on returns.order_item_id = items.order_item_id
