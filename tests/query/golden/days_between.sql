select avg(date_diff('day', cast(due_on as date), cast(paid_on as date))) as avg_paid_on_minus_due_on
from marts.orders
