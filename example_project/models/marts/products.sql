select
    products.product_id,
    products.sku,
    products.product_name,
    products.category,
    products.subcategory,
    products.brand,
    products.supplier_country,
    products.list_price_eur,
    products.unit_cost_eur,
    products.list_price_eur - products.unit_cost_eur as unit_margin_eur,
    products.weight_grams,
    products.launched_on,
    products.discontinued_on,
    products.stock_quantity,
    products.reorder_point,
    coalesce(sales.units_sold, 0) as units_sold,
    sales.last_sold_on,
    products.is_subscribable,
    coalesce(products.discontinued_on <= {{ as_of() }}, false) as is_discontinued
from {{ ref('stg_products') }} as products
left join {{ ref('int_product_sales') }} as sales on products.product_id = sales.product_id
