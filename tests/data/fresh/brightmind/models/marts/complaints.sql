select
    complaint_id,
    family_id,
    tutor_id,
    lesson_id,
    complaint_topic,
    received_by,
    received_on,
    resolved_on,
    complaint_status,
    date_diff('day', received_on, resolved_on) as days_to_resolve,
    compensation_gbp
from {{ ref('stg_complaints') }}
