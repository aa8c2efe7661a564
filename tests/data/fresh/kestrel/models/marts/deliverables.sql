select
    d.*,
    case when d.delivered_on > d.due_on then datediff('day', d.due_on, d.delivered_on) when d.delivered_on is not null then 0 end as days_late,
    coalesce(d.delivered_on, {{ as_of() }}) > d.due_on as is_late,
    j.is_test_job as is_test_deliverable
from {{ ref('stg_deliverables') }} as d
join {{ ref('stg_jobs') }} as j on j.job_id = d.job_id
