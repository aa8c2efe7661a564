select order_id
from marts.orders
where status <> 'cancelled'
and amount > (select avg(amount) from marts.orders where status <> 'cancelled')
