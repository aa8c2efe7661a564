select status,
count(*) * 1.0 / nullif(sum(count(*)) over (), 0) as share_of_orders_count
from marts.orders
group by 1
