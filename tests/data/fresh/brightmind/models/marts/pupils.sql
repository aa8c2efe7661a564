with taken as (
    select
        pupil_id,
        count(*) as lessons_taken,
        min(case when is_trial then lesson_date end) as trial_lesson_on,
        min(lesson_date) as first_lesson_on,
        max(lesson_date) as last_lesson_on
    from {{ ref('lessons') }}
    where lesson_status = 'completed'
    group by pupil_id
)

select
    p.pupil_id,
    p.family_id,
    p.pupil_name,
    p.school_year,
    case
        when p.school_year <= 6 then 'KS2'
        when p.school_year <= 9 then 'KS3'
        when p.school_year <= 11 then 'KS4'
        else 'KS5'
    end as key_stage,
    p.school_name,
    p.learning_need,
    p.enrolled_on,
    p.left_on,
    p.pupil_status,
    t.trial_lesson_on,
    t.first_lesson_on,
    t.last_lesson_on,
    coalesce(t.lessons_taken, 0) as lessons_taken,
    f.is_test_family as is_test_pupil
from {{ ref('stg_pupils') }} as p
inner join {{ ref('stg_families') }} as f on p.family_id = f.family_id
left join taken as t on p.pupil_id = t.pupil_id
