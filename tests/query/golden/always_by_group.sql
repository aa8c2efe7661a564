select status,
count(*) as orders_count
from marts.orders
where status <> 'cancelled'
group by 1
