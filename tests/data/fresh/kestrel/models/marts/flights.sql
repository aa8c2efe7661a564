select f.*, p.pilot_name, p.pilot_grade, p.pilot_base
from {{ ref('stg_flights') }} as f
left join {{ ref('stg_pilots') }} as p on p.pilot_id = f.pilot_id
