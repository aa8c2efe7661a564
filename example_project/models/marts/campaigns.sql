select
    campaigns.campaign_id,
    campaigns.campaign_name,
    campaigns.marketing_channel,
    campaigns.objective,
    campaigns.owner_team,
    campaigns.started_on,
    campaigns.ended_on,
    campaigns.budget_eur,
    coalesce(results.spend_to_date_eur, 0) as spend_to_date_eur,
    coalesce(results.acquired_customer_count, 0) as acquired_customer_count,
    campaigns.is_test_campaign
from {{ ref('stg_campaigns') }} as campaigns
left join {{ ref('int_campaign_results') }} as results on campaigns.campaign_id = results.campaign_id
