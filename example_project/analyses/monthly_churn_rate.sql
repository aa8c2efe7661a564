-- Share of running subscriptions that had their last month, by month.
select
    month_start,
    count(*) as running_subscriptions,
    count(*) filter (where is_last_month) as ending_subscriptions,
    round(100.0 * count(*) filter (where is_last_month) / count(*), 1) as churn_percent
from {{ ref('subscription_months') }}
where not is_test_subscription
group by month_start
order by month_start
