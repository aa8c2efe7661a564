-- Net revenue by month and order channel in the last twelve months.
select
    date_trunc('month', order_date) as order_month,
    order_channel,
    count(*) as order_count,
    sum(net_amount_eur) as net_revenue_eur
from {{ ref('orders') }}
where order_date > {{ as_of() }} - interval 12 month
    and not is_test_order
    and order_status <> 'cancelled'
group by order_month, order_channel
order by order_month, order_channel
