select sum(amount) * 1.0 / nullif(count(*), 0) as average_order_value
from marts.orders
