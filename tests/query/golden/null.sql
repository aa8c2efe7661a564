select count(*) as orders_count
from marts.orders
where store_id is null
