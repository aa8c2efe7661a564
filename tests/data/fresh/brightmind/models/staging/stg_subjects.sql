select code as subject_code, subject, subject_area
from {{ ref('raw_subjects') }}
