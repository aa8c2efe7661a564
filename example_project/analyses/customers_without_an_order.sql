-- Customers who signed up in the first half of 2026 and have not bought anything yet.
select
    customers.customer_id,
    customers.country,
    customers.acquisition_channel,
    customers.signup_date
from {{ ref('customers') }} as customers
left join {{ ref('orders') }} as orders
    on customers.customer_id = orders.customer_id
    and not orders.is_test_order
    and orders.order_status <> 'cancelled'
where orders.order_id is null
    and not customers.is_test_account
    and customers.signup_date between date '2026-01-01' and {{ as_of() }}
order by customers.signup_date
