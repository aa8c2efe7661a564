-- Active subscriptions by plan and the monthly revenue they stand for.
select
    plan_name,
    count(*) as active_subscriptions,
    count(distinct customer_id) as subscribers,
    sum(monthly_price_eur) as monthly_revenue_eur
from {{ ref('subscriptions') }}
where (subscription_status = 'active' or (subscription_status = 'paused' and paused_days < 30))
    and not is_test_subscription
group by plan_name
order by monthly_revenue_eur desc
