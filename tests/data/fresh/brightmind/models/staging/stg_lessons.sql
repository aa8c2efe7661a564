select
    id as lesson_id,
    pupil_id,
    tutor_id,
    subject_code,
    package_id,
    booked_on,
    starts_at as lesson_start,
    cast(starts_at as date) as lesson_date,
    minutes as duration_minutes,
    case place when 'home' then 'at_home' when 'centre' then 'learning_centre' else place end as lesson_place,
    case status when 'cancelled' then 'cancelled_in_time' when 'late_cancel' then 'cancelled_late' else status end as lesson_status,
    cancelled_by,
    is_trial = 1 as is_trial,
    price as price_gbp,
    tutor_rate as tutor_rate_gbp,
    is_test = 1 as is_test_booking
from {{ ref('raw_lessons') }}
