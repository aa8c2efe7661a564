select
    id as pupil_id,
    family_id,
    first_name || ' ' || last_name as pupil_name,
    school_year,
    school as school_name,
    learning_need,
    enrolled_on,
    status as pupil_status,
    left_on
from {{ ref('raw_pupils') }}
