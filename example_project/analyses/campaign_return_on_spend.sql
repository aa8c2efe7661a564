-- What the customers of each campaign have brought in, against what the campaign cost.
select
    campaigns.campaign_name,
    campaigns.marketing_channel,
    campaigns.spend_to_date_eur,
    count(customers.customer_id) as customers_won,
    coalesce(sum(customers.lifetime_net_revenue_eur), 0) as net_revenue_eur,
    round(coalesce(sum(customers.lifetime_net_revenue_eur), 0) / campaigns.spend_to_date_eur, 2) as revenue_per_euro_spent
from {{ ref('campaigns') }} as campaigns
left join {{ ref('customers') }} as customers
    on campaigns.campaign_id = customers.acquisition_campaign_id
    and not customers.is_test_account
where not campaigns.is_test_campaign
group by campaigns.campaign_name, campaigns.marketing_channel, campaigns.spend_to_date_eur
order by revenue_per_euro_spent desc
