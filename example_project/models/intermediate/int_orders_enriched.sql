-- Orders with amounts in euros, the local day of sale and the customer's order sequence.
with joined as (
    select
        orders.*,
        coalesce(
            orders.ordered_at at time zone 'UTC' at time zone stores.time_zone,
            orders.ordered_at
        ) as ordered_at_local,
        promos.promotion_type,
        totals.item_count,
        totals.gross_amount_eur,
        totals.discount_amount_eur,
        {{ to_eur('orders.shipping_fee', 'totals.eur_per_unit') }} as shipping_fee_eur,
        coalesce(refunds.refund_amount_eur, 0) as refund_amount_eur,
        greatest(orders.loaded_at, coalesce(refunds.last_return_loaded_at, orders.loaded_at)) as last_loaded_at
    from {{ ref('stg_orders') }} as orders
    inner join {{ ref('int_order_totals') }} as totals on orders.order_id = totals.order_id
    left join {{ ref('int_order_refunds') }} as refunds on orders.order_id = refunds.order_id
    left join {{ ref('stg_stores') }} as stores on orders.store_id = stores.store_id
    left join {{ ref('stg_promo_codes') }} as promos on orders.promo_code = promos.promo_code
),

priced as (
    select
        * exclude (order_status),
        case
            when order_status = 'completed'
                and refund_amount_eur > 0
                and refund_amount_eur >= gross_amount_eur - discount_amount_eur - 0.05
                then 'returned'
            else order_status
        end as order_status,
        gross_amount_eur - discount_amount_eur - refund_amount_eur as net_amount_eur,
        customer_id is not null and order_status <> 'cancelled' and not is_test_order as counts_for_customer
    from joined
)

select
    *,
    cast(ordered_at_local as date) as order_date,
    cast(extract(hour from ordered_at_local) as integer) as order_hour_local,
    case
        when counts_for_customer
            then cast(row_number() over (partition by customer_id, counts_for_customer order by ordered_at, order_id) as integer)
    end as customer_order_number
from priced
