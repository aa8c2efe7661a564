with source as (
    select * from {{ ref('raw_orders') }}
),

-- An order is delivered again when its state changes; the newest delivery counts.
latest as (
    select *
    from source
    qualify row_number() over (partition by id order by loaded_at desc) = 1
)

select
    id as order_id,
    customer_id,
    store_id,
    {{ clean_code('channel') }} as order_channel,
    case {{ clean_code('status') }}
        when 'canceled' then 'cancelled'
        else {{ clean_code('status') }}
    end as order_status,
    ordered_at,
    currency,
    payment_method,
    {{ country_name('ship_country') }} as ship_country,
    upper({{ clean_code('promo_code') }}) as promo_code,
    shipping_fee,
    delivered_on,
    is_gift = 1 as is_gift,
    is_test = 1 as is_test_order,
    loaded_at
from latest
