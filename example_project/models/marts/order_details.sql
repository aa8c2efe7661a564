with line_returns as (
    select
        order_item_id,
        max(return_status) as return_status,
        cast(sum(refund_amount_eur) as decimal(12, 2)) as refund_amount_eur
    from {{ ref('returns') }}
    group by order_item_id
)

select
    items.order_item_id,
    items.order_id,
    items.line_number,
    items.product_id,
    items.customer_id,
    orders.store_id,
    orders.order_date,
    cast(date_trunc('month', orders.order_date) as date) as order_month,
    dayname(orders.order_date) as order_weekday,
    orders.order_channel,
    orders.order_status,
    orders.payment_method,
    orders.currency,
    orders.ship_country,
    orders.promo_code,
    orders.is_first_order,
    orders.is_test_order,
    products.product_name,
    products.category,
    products.subcategory,
    products.brand,
    customers.country as customer_country,
    customers.city as customer_city,
    customers.acquisition_channel,
    customers.loyalty_tier,
    customers.customer_segment,
    customers.signup_date as customer_signup_date,
    stores.store_name,
    stores.city as store_city,
    stores.country as store_country,
    stores.store_format,
    items.quantity,
    items.unit_price_eur,
    items.gross_amount_eur,
    items.discount_amount_eur,
    items.net_amount_eur,
    items.cost_amount_eur,
    items.margin_amount_eur,
    line_returns.return_status,
    coalesce(line_returns.refund_amount_eur, 0) as refund_amount_eur
from {{ ref('order_items') }} as items
inner join {{ ref('orders') }} as orders on items.order_id = orders.order_id
inner join {{ ref('products') }} as products on items.product_id = products.product_id
left join {{ ref('customers') }} as customers on orders.customer_id = customers.customer_id
left join {{ ref('stores') }} as stores on orders.store_id = stores.store_id
left join line_returns on items.order_item_id = line_returns.order_item_id
