-- The ten products with the highest sales in 2025, with their share of the total.
with sold as (
    select
        products.product_name,
        products.category,
        sum(items.quantity) as units_sold,
        sum(items.net_amount_eur) as net_sales_eur
    from {{ ref('order_items') }} as items
    inner join {{ ref('orders') }} as orders on items.order_id = orders.order_id
    inner join {{ ref('products') }} as products on items.product_id = products.product_id
    where orders.order_date >= date '2025-01-01'
        and orders.order_date < date '2026-01-01'
        and not orders.is_test_order
        and orders.order_status <> 'cancelled'
    group by products.product_name, products.category
)

select
    product_name,
    category,
    units_sold,
    net_sales_eur,
    round(100.0 * net_sales_eur / sum(net_sales_eur) over (), 1) as share_of_sales_percent
from sold
order by net_sales_eur desc
limit 10
