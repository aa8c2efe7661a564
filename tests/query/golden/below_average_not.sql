select order_id
from marts.orders
where amount <= (select avg(amount) from marts.orders)
