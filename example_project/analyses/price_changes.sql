-- Recorded price history of products that are still on sale.
select
    prices.product_id,
    prices.product_name,
    prices.list_price_eur,
    prices.dbt_valid_from as valid_from,
    prices.dbt_valid_to as valid_to
from {{ ref('product_prices') }} as prices
inner join {{ ref('products') }} as products on prices.product_id = products.product_id
where not products.is_discontinued
order by prices.product_id, valid_from
