select product_name
from marts.products
where price > (select average from (select category as peer, avg(price) as average from marts.products group by 1) as peers where peer = category)
