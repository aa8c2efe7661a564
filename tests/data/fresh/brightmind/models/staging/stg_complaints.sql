select
    id as complaint_id,
    family_id,
    tutor_id,
    lesson_id,
    topic as complaint_topic,
    received_by,
    received_on,
    resolved_on,
    status as complaint_status,
    compensation as compensation_gbp
from {{ ref('raw_complaints') }}
