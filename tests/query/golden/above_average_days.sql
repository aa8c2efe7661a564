select order_id
from marts.orders
where date_diff('day', cast(due_on as date), cast(paid_on as date)) > (select avg(date_diff('day', cast(due_on as date), cast(paid_on as date))) from marts.orders)
