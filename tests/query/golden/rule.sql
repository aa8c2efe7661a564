select count(*) as orders_count
from marts.orders
where amount > 60
