select
    enquiry_id,
    enquired_at,
    cast(enquired_at as date) as enquired_on,
    site_id,
    source,
    contact_channel,
    size_band_wanted,
    quoted_rent_gbp,
    first_reply_at,
    round(date_diff('minute', enquired_at, first_reply_at) / 60.0, 2) as reply_hours,
    outcome,
    lost_reason,
    contract_id
from {{ ref('stg_enquiries') }}
