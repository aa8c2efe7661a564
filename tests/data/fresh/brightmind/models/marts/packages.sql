with used as (
    select package_id, sum(lesson_hours) as hours_used
    from {{ ref('lessons') }}
    where lesson_status in ('completed', 'no_show', 'cancelled_late')
    group by package_id
)

select
    p.package_id,
    p.family_id,
    p.pupil_id,
    p.package_name,
    p.hours_bought,
    coalesce(u.hours_used, 0) as hours_used,
    p.hours_bought - coalesce(u.hours_used, 0) as hours_left,
    p.price_gbp,
    p.bought_on,
    p.expires_on,
    case
        when p.is_cancelled then 'cancelled'
        when p.hours_bought - coalesce(u.hours_used, 0) < 0.75 then 'used_up'
        when p.expires_on < cast('{{ var("t2s")["as_of"] }}' as date) then 'expired'
        else 'active'
    end as package_status,
    f.is_test_family as is_test_package
from {{ ref('stg_packages') }} as p
inner join {{ ref('stg_families') }} as f on p.family_id = f.family_id
left join used as u on p.package_id = u.package_id
