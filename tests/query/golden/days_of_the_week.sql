select count(*) as orders_count
from marts.orders
where dayname(ordered_at) in ('Monday', 'Friday')
