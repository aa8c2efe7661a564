select count(*) as orders_count
from marts.orders
where date_diff('day', cast(due_on as date), cast(paid_on as date)) > 0
