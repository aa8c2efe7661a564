select e.*, datediff('day', e.happened_on, e.back_in_service_on) as days_out_of_service
from {{ ref('stg_equipment_log') }} as e
