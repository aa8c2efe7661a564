select
    months.subscription_id || '-' || strftime(months.month_start, '%Y%m') as subscription_month_id,
    months.subscription_id,
    subscriptions.customer_id,
    months.month_start,
    subscriptions.plan_name,
    months.month_status,
    months.month_number,
    {{ to_eur('subscriptions.monthly_price', 'rates.eur_per_unit') }} as mrr_eur,
    months.month_number = 1 as is_first_month,
    months.is_last_month,
    customers.is_test_account as is_test_subscription
from {{ ref('int_subscription_months') }} as months
inner join {{ ref('stg_subscriptions') }} as subscriptions on months.subscription_id = subscriptions.subscription_id
inner join {{ ref('stg_customers') }} as customers on subscriptions.customer_id = customers.customer_id
inner join {{ ref('int_fx_rates_monthly') }} as rates
    on subscriptions.currency = rates.currency
    and months.month_start = rates.rate_month
