select
    id as pilot_id,
    name as pilot_name,
    grade as pilot_grade,
    base as pilot_base,
    cast(joined_on as date) as joined_on
from {{ ref('raw_pilots') }}
