select
    q.*,
    datediff('day', q.quoted_on, q.decided_on) as days_to_decision,
    c.is_test_client as is_test_quote
from {{ ref('stg_quotes') }} as q
join {{ ref('stg_clients') }} as c on c.client_id = q.client_id
