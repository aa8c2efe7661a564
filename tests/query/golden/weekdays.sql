select dayname(ordered_at) as ordered_at_dow,
count(*) as orders_count
from marts.orders
group by 1
