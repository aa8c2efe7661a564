select avg(case when status <> 'cancelled' then 1.0 else 0.0 end) as share_of_orders
from marts.orders
