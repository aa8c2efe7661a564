with source as (
    select distinct * from {{ ref('raw_returns') }}
)

select
    id as return_id,
    order_item_id,
    method as return_method,
    coalesce({{ clean_code('reason') }}, 'not_given') as return_reason,
    {{ clean_code('status') }} as return_status,
    strptime(requested_at, '%Y-%m-%dT%H:%M:%SZ') as requested_at,
    received_on,
    refunded_on,
    quantity,
    refund_amount,
    currency,
    is_restocked = 1 as is_restocked,
    loaded_at
from source
