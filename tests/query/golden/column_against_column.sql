select order_id
from marts.orders
where paid_on > due_on
