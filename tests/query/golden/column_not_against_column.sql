select order_id
from marts.orders
where refund < amount
