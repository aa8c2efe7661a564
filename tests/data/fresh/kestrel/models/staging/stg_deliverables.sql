select
    id as deliverable_id,
    job_id,
    kind as deliverable_kind,
    cast(due_on as date) as due_on,
    cast(delivered_on as date) as delivered_on,
    cast(size_gb as decimal(8, 2)) as file_size_gb,
    cast(revisions as integer) as revision_count
from {{ ref('raw_deliverables') }}
