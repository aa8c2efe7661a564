select
    rate_month,
    upper(trim(currency)) as currency,
    eur_per_unit
from {{ ref('raw_fx_rates') }}
