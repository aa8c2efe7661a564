select count(*) as orders_count,
count(case when status = 'returned' then 1 end) as orders_count_returned
from marts.orders
