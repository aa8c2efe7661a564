-- Net revenue per square metre of open stores over the last 365 days.
select
    stores.store_name,
    stores.country,
    stores.floor_area_m2,
    sum(orders.net_amount_eur) as net_revenue_eur,
    round(sum(orders.net_amount_eur) / stores.floor_area_m2, 2) as net_revenue_per_m2_eur
from {{ ref('stores') }} as stores
inner join {{ ref('orders') }} as orders on stores.store_id = orders.store_id
where stores.is_open
    and orders.order_date > {{ as_of() }} - 365
    and not orders.is_test_order
    and orders.order_status <> 'cancelled'
group by stores.store_name, stores.country, stores.floor_area_m2
order by net_revenue_per_m2_eur desc
