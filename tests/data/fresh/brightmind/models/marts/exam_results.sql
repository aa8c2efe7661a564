with graded as (
    select
        *,
        case grade
            when 'A*' then 6 when 'A' then 5 when 'B' then 4 when 'C' then 3 when 'D' then 2 when 'E' then 1
            else try_cast(grade as integer)
        end as grade_points,
        case predicted_grade
            when 'A*' then 6 when 'A' then 5 when 'B' then 4 when 'C' then 3 when 'D' then 2 when 'E' then 1
            else try_cast(predicted_grade as integer)
        end as predicted_points
    from {{ ref('stg_exam_results') }}
)

select
    g.result_id,
    g.pupil_id,
    s.subject,
    g.exam_level,
    g.exam_board,
    g.exam_session,
    g.result_date,
    g.is_mock,
    g.grade,
    g.grade_points,
    g.predicted_grade,
    g.grade_points - g.predicted_points as grades_above_prediction
from graded as g
inner join {{ ref('stg_subjects') }} as s on g.subject_code = s.subject_code
