with subscriptions as (
    select customer_id, cast(count(*) as integer) as subscription_count
    from {{ ref('stg_subscriptions') }}
    group by customer_id
)

select
    customers.customer_id,
    customers.full_name,
    customers.email,
    customers.country,
    customers.city,
    customers.acquisition_channel,
    customers.acquisition_campaign_id,
    customers.signed_up_at,
    cast(customers.signed_up_at as date) as signup_date,
    case
        when customers.birth_year is null then 'unknown'
        when year({{ as_of() }}) - customers.birth_year < 25 then '18-24'
        when year({{ as_of() }}) - customers.birth_year < 35 then '25-34'
        when year({{ as_of() }}) - customers.birth_year < 45 then '35-44'
        when year({{ as_of() }}) - customers.birth_year < 55 then '45-54'
        else '55+'
    end as age_group,
    customers.loyalty_tier,
    case
        when bought.order_count is null then 'prospect'
        when bought.last_order_date < {{ as_of() }} - 365 then 'lapsed'
        when bought.order_count >= 5 then 'loyal'
        when bought.order_count >= 2 then 'repeat'
        else 'one_time'
    end as customer_segment,
    customers.accepts_marketing,
    customers.preferred_language,
    bought.first_order_date,
    bought.last_order_date,
    coalesce(bought.order_count, 0) as order_count,
    coalesce(bought.lifetime_net_revenue_eur, 0) as lifetime_net_revenue_eur,
    coalesce(support.support_ticket_count, 0) as support_ticket_count,
    coalesce(subscriptions.subscription_count, 0) as subscription_count,
    customers.is_test_account
from {{ ref('stg_customers') }} as customers
left join {{ ref('int_customer_orders') }} as bought on customers.customer_id = bought.customer_id
left join {{ ref('int_customer_support') }} as support on customers.customer_id = support.customer_id
left join subscriptions on customers.customer_id = subscriptions.customer_id
