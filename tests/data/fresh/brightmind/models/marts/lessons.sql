with lessons as (
    select * from {{ ref('stg_lessons') }}
),

first_paid as (
    select pupil_id, min(lesson_date) as first_paid_on
    from lessons
    where lesson_status = 'completed' and not is_trial
    group by pupil_id
)

select
    l.lesson_id,
    l.pupil_id,
    l.tutor_id,
    l.package_id,
    s.subject,
    s.subject_area,
    l.booked_on,
    l.lesson_date,
    l.lesson_start,
    l.duration_minutes,
    cast(l.duration_minutes / 60.0 as decimal(6, 2)) as lesson_hours,
    l.lesson_place,
    l.lesson_status,
    l.cancelled_by,
    l.is_trial,
    case
        when l.is_trial and l.lesson_status = 'completed'
            then coalesce(f.first_paid_on between l.lesson_date and l.lesson_date + 30, false)
    end as trial_converted,
    l.price_gbp,
    cast(round(case l.lesson_status
        when 'completed' then l.price_gbp
        when 'no_show' then l.price_gbp
        when 'cancelled_late' then l.price_gbp * 0.5
        else 0
    end, 2) as decimal(10, 2)) as charged_gbp,
    cast(round(case l.lesson_status
        when 'completed' then 1
        when 'no_show' then 1
        when 'cancelled_late' then 0.5
        else 0
    end * l.tutor_rate_gbp * l.duration_minutes / 60.0, 2) as decimal(10, 2)) as tutor_pay_gbp,
    l.is_test_booking
from lessons as l
inner join {{ ref('stg_subjects') }} as s on l.subject_code = s.subject_code
left join first_paid as f on l.pupil_id = f.pupil_id
