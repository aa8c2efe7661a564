select order_id
from marts.orders
where amount > (select average from (select status as peer, avg(amount) as average from marts.orders where status <> 'cancelled' group by 1) as peers where peer = status)
