-- Days between consecutive orders of a customer, by acquisition channel.
with gaps as (
    select
        orders.customer_id,
        customers.acquisition_channel,
        orders.order_date - lag(orders.order_date) over (partition by orders.customer_id order by orders.customer_order_number) as days_since_last_order
    from {{ ref('orders') }} as orders
    inner join {{ ref('customers') }} as customers on orders.customer_id = customers.customer_id
    where orders.customer_order_number is not null
)

select
    acquisition_channel,
    count(*) as repeat_orders,
    median(days_since_last_order) as median_gap_days
from gaps
where days_since_last_order is not null
group by acquisition_channel
order by median_gap_days
