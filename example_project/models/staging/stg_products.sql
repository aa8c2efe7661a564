select
    id as product_id,
    sku,
    trim(name) as product_name,
    {{ clean_code('category') }} as category,
    subcategory,
    brand,
    supplier_country,
    cast(list_price_eur as decimal(12, 2)) as list_price_eur,
    cast(unit_cost_eur as decimal(12, 2)) as unit_cost_eur,
    weight_grams,
    launched_on,
    discontinued_on,
    stock_quantity,
    reorder_point,
    is_subscribable = 1 as is_subscribable,
    updated_at
from {{ ref('raw_products') }}
