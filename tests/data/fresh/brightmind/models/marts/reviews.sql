select review_id, family_id, tutor_id, reviewed_on, rating, review_text, would_recommend, review_source
from {{ ref('stg_reviews') }}
