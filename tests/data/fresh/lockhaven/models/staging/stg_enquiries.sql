select
    id as enquiry_id,
    cast("at" as timestamp) as enquired_at,
    site_id,
    replace(lower(source), ' ', '_') as source,
    channel as contact_channel,
    size_wanted as size_band_wanted,
    cast(quoted as decimal(10, 2)) as quoted_rent_gbp,
    cast(replied_at as timestamp) as first_reply_at,
    outcome,
    lost_reason,
    contract_id
from {{ ref('raw_enquiries') }}
