-- Order lines in euros. Lines whose order never arrived drop out.
with lines as (
    select
        items.order_item_id,
        items.order_id,
        items.line_number,
        items.product_id,
        items.quantity,
        orders.customer_id,
        orders.ordered_at,
        orders.currency,
        rates.eur_per_unit,
        {{ to_eur('items.unit_price', 'rates.eur_per_unit') }} as unit_price_eur,
        {{ to_eur('items.quantity * items.unit_price', 'rates.eur_per_unit') }} as gross_amount_eur,
        {{ to_eur('items.discount', 'rates.eur_per_unit') }} as discount_amount_eur,
        cast(items.quantity * products.unit_cost_eur as decimal(12, 2)) as cost_amount_eur
    from {{ ref('stg_order_items') }} as items
    inner join {{ ref('stg_orders') }} as orders on items.order_id = orders.order_id
    inner join {{ ref('stg_products') }} as products on items.product_id = products.product_id
    inner join {{ ref('int_fx_rates_monthly') }} as rates
        on orders.currency = rates.currency
        and cast(date_trunc('month', orders.ordered_at) as date) = rates.rate_month
)

select
    *,
    gross_amount_eur - discount_amount_eur as net_amount_eur,
    gross_amount_eur - discount_amount_eur - cost_amount_eur as margin_amount_eur
from lines
