select
    id as review_id,
    family_id,
    tutor_id,
    reviewed_on,
    rating,
    nullif(trim(comment), '') as review_text,
    would_recommend = 1 as would_recommend,
    source as review_source
from {{ ref('raw_reviews') }}
