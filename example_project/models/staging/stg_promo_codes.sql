select
    upper(trim(code)) as promo_code,
    promo_type as promotion_type,
    discount_value,
    valid_from,
    valid_to
from {{ ref('raw_promo_codes') }}
