-- Net is gross less discount less refunds, and never clearly negative.
select order_id
from {{ ref('orders') }}
where abs(gross_amount_eur - discount_amount_eur - refund_amount_eur - net_amount_eur) > 0.005
    or net_amount_eur < -0.05
