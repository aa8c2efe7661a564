select count(distinct customer_id) as count_distinct_customer_id
from marts.orders
