select
    id as campaign_id,
    trim(name) as campaign_name,
    channel as marketing_channel,
    objective,
    owner_team,
    started_on,
    ended_on,
    cast(budget_eur as decimal(12, 2)) as budget_eur,
    is_sandbox = 1 as is_test_campaign
from {{ ref('raw_campaigns') }}
