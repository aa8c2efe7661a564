select count(*) as orders_count
from marts.orders
where not is_gift
