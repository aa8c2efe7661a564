select
    subscriptions.subscription_id,
    subscriptions.customer_id,
    subscriptions.product_id,
    subscriptions.plan_name,
    subscriptions.billing_interval,
    subscriptions.signup_channel,
    states.subscription_status,
    subscriptions.started_at,
    cast(subscriptions.started_at as date) as started_on,
    states.trial_ended_on,
    states.paused_on,
    states.paused_days,
    states.ended_on,
    states.cancellation_reason,
    subscriptions.currency,
    {{ to_eur('subscriptions.monthly_price', 'rates.eur_per_unit') }} as monthly_price_eur,
    cast(date_diff('month', cast(subscriptions.started_at as date), coalesce(states.ended_on, {{ as_of() }})) as integer) as tenure_months,
    customers.is_test_account as is_test_subscription
from {{ ref('stg_subscriptions') }} as subscriptions
inner join {{ ref('int_subscription_states') }} as states on subscriptions.subscription_id = states.subscription_id
inner join {{ ref('stg_customers') }} as customers on subscriptions.customer_id = customers.customer_id
inner join {{ ref('int_fx_rates_monthly') }} as rates
    on subscriptions.currency = rates.currency
    and cast(date_trunc('month', subscriptions.started_at) as date) = rates.rate_month
