select product_name
from marts.products
where product_name ilike '%TENT%'
