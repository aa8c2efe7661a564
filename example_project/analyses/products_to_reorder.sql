-- Products on sale whose stock is below the reorder point, with units sold in the last 60 days.
with recent as (
    select
        items.product_id,
        sum(items.quantity) as units_sold_60_days
    from {{ ref('order_items') }} as items
    inner join {{ ref('orders') }} as orders on items.order_id = orders.order_id
    where orders.order_date > {{ as_of() }} - 60
        and not orders.is_test_order
        and orders.order_status <> 'cancelled'
    group by items.product_id
)

select
    products.product_name,
    products.category,
    products.stock_quantity,
    products.reorder_point,
    coalesce(recent.units_sold_60_days, 0) as units_sold_60_days
from {{ ref('products') }} as products
left join recent on products.product_id = recent.product_id
where not products.is_discontinued
    and products.stock_quantity < products.reorder_point
order by units_sold_60_days desc, products.product_name
