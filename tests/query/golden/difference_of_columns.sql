select order_id,
(amount - refund) as amount_minus_refund
from marts.orders
order by amount_minus_refund desc
limit 1
