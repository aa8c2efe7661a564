with taught as (
    select
        tutor_id,
        count(*) as lessons_taught,
        max(lesson_date) as last_lesson_on
    from {{ ref('lessons') }}
    where lesson_status = 'completed' and not is_test_booking
    group by tutor_id
),

stars as (
    select tutor_id, count(*) as review_count, round(avg(rating), 2) as average_rating
    from {{ ref('stg_reviews') }}
    group by tutor_id
)

select
    t.tutor_id,
    t.tutor_name,
    m.subject as main_subject,
    s.subject as second_subject,
    t.qualification,
    t.hourly_pay_gbp,
    t.hired_on,
    t.left_on,
    t.left_on is null as is_active,
    t.town,
    t.teaches_online,
    t.dbs_checked_on,
    coalesce(l.lessons_taught, 0) as lessons_taught,
    l.last_lesson_on,
    coalesce(r.review_count, 0) as review_count,
    r.average_rating
from {{ ref('stg_tutors') }} as t
inner join {{ ref('stg_subjects') }} as m on t.main_subject_code = m.subject_code
left join {{ ref('stg_subjects') }} as s on t.second_subject_code = s.subject_code
left join taught as l on t.tutor_id = l.tutor_id
left join stars as r on t.tutor_id = r.tutor_id
