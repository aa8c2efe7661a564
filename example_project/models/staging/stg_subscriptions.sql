select
    id as subscription_id,
    customer_id,
    product_id,
    {{ proper_case('plan_name') }} as plan_name,
    billing_interval,
    {{ clean_code('signup_channel') }} as signup_channel,
    started_at,
    currency,
    monthly_price,
    loaded_at
from {{ ref('raw_subscriptions') }}
