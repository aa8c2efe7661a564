select sum(case when is_gift then 1 else 0 end) as gifts
from marts.orders
