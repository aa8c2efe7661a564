select
    id as tutor_id,
    tutor_name,
    main_subject as main_subject_code,
    second_subject as second_subject_code,
    qualification,
    hourly_pay as hourly_pay_gbp,
    hired_on,
    left_on,
    town,
    teaches_online = 1 as teaches_online,
    dbs_checked_on
from {{ ref('raw_tutors') }}
