select stores.store_name
from marts.orders
join marts.stores on orders.store_id = stores.store_id
where orders.ordered_at >= date '2025-02-01'
group by 1, stores.store_id
having count(*) > 1
