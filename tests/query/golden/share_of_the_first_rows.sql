select (select sum(price) from (
select product_name,
price
from marts.products
order by price desc
limit 2
) as the_first) * 1.0 / nullif((select sum(price) from (
select product_name,
price
from marts.products
) as all_of_them), 0) as share_of_price
