select count(case when status <> 'cancelled' then 1 end) as orders_count,
count(case when status = 'cancelled' then 1 end) as orders_count_cancelled
from marts.orders
