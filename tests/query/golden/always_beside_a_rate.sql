select avg(case when is_gift then 1.0 else 0.0 end) as share_of_orders
from marts.orders
where status <> 'cancelled'
