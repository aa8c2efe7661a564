select
    id as quote_id,
    client_id,
    site_id,
    service,
    cast(quoted_on as date) as quoted_on,
    cast(valid_until as date) as valid_until,
    cast(amount as decimal(10, 2)) as quoted_amount_gbp,
    cast(discount_pct as integer) as discount_pct,
    {{ tidy('status') }} as quote_status,
    cast(decided_on as date) as decided_on,
    {{ tidy('decline_reason') }} as decline_reason
from {{ ref('raw_quotes') }}
