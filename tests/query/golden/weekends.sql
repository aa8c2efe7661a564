select case when dayname(ordered_at) in ('Saturday', 'Sunday') then 'weekend' when not ordered_at is null then 'weekday' end as ordered_at_weekend,
count(*) as orders_count
from marts.orders
group by 1
