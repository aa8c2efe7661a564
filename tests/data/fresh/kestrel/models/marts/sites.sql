select s.*, c.is_test_client as is_test_site
from {{ ref('stg_sites') }} as s
join {{ ref('stg_clients') }} as c on c.client_id = s.client_id
