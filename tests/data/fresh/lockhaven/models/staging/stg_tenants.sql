select
    id as tenant_id,
    name as tenant_name,
    kind as tenant_type,
    lower(email) as email,
    phone,
    trim(town) as home_town,
    source as acquisition_source,
    cast(registered as date) as registered_on,
    cast(cast(consent as integer) as boolean) as accepts_marketing,
    coalesce(email like '%@lockhaven.test', false) or name like 'Test Tenant%' as is_test_tenant
from {{ ref('raw_tenants') }}
