select
    id as job_id,
    cast(quote_id as integer) as quote_id,
    client_id,
    site_id,
    service,
    {{ tidy('status') }} as job_status,
    {{ tidy('cancel_reason') }} as cancel_reason,
    cast(booked_on as date) as booked_on,
    cast(planned_on as date) as planned_on,
    cast(completed_on as date) as completed_on,
    cast(price as decimal(10, 2)) as price_gbp,
    is_rush = 1 as is_rush,
    cast(rating as integer) as client_rating,
    cast(rated_on as date) as rated_on,
    is_test = 1 as is_test_job
from {{ ref('raw_jobs') }}
