with jobs as (
    select client_id, count(*) as job_count, max(planned_on) as last_job_on
    from {{ ref('stg_jobs') }}
    where not is_test_job and job_status <> 'cancelled' and planned_on <= {{ as_of() }}
    group by client_id
)
select c.*, coalesce(j.job_count, 0) as job_count, j.last_job_on
from {{ ref('stg_clients') }} as c
left join jobs as j on j.client_id = c.client_id
