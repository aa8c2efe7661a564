select
    id as result_id,
    pupil_id,
    subject_code,
    exam_level,
    board as exam_board,
    session as exam_session,
    result_date,
    is_mock = 1 as is_mock,
    grade,
    predicted_grade
from {{ ref('raw_exam_results') }}
