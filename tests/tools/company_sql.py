"""The SQL of the company project's models, written from what each subject has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Column = tuple[str, str]


@dataclass(frozen=True)
class Subject:
    """What the company keeps rows of; ``parents`` are the subjects that a row points at."""

    name: str
    measures: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    flags: tuple[str, ...]
    dates: tuple[str, ...]
    parents: tuple[Subject, ...]
    limit: int

    @property
    def key(self) -> str:
        return f"{self.name}_id"


@dataclass(frozen=True)
class Model:
    """A model: ``columns`` are (name, type), ``parents`` node ids."""

    name: str
    layer: str
    subject: Subject
    sql: str
    columns: tuple[Column, ...]
    parents: tuple[str, ...]


def models(subject: Subject) -> list[Model]:
    return [
        _staging(subject), _enriched(subject), _daily(subject), _dimension(subject), _fact(subject),
    ]  # fmt: skip


def as_jinja(code: str) -> str:
    """The model as its author wrote it: relations as refs."""
    return re.sub(r"company\.\w+\.(\w+)", r"{{ ref('\1') }}", code)


def _columns(subject: Subject) -> tuple[Column, ...]:
    """The columns of one row of the subject."""
    return (
        (subject.key, "BIGINT"),
        *((parent.key, "BIGINT") for parent in subject.parents),
        *((name, "VARCHAR") for name in subject.categories),
        *((name, "BOOLEAN") for name in subject.flags),
        *((name, "TIMESTAMP") for name in subject.dates),
        *((name, "DECIMAL(18,2)") for name in subject.measures),
    )


def _listed(lines: list[str]) -> str:
    return ",\n        ".join(lines)


def _ref(name: str) -> str:
    return f"model.company.{name}"


def _staging(s: Subject) -> Model:
    cleaned = [f"cast(raw.{s.key} as bigint) as {s.key}"]
    cleaned += [f"cast(raw.{parent.key} as bigint) as {parent.key}" for parent in s.parents]
    first, *others = s.categories
    cases = "\n            ".join(
        f"when lower(trim(raw.{first})) in ('{value}', '{value[0]}') then '{value}'"
        for value in s.categories[first]
    )
    cleaned.append(f"case\n            {cases}\n            else 'other'\n        end as {first}")
    cleaned += [f"lower(trim(raw.{name})) as {name}" for name in others]
    cleaned += [f"coalesce(raw.{name}, false) as {name}" for name in s.flags]
    cleaned += [f"cast(raw.{name} as timestamp) as {name}" for name in s.dates]
    cleaned += [f"cast(coalesce(raw.{n}, 0) / 100.0 as decimal(18, 2)) as {n}" for n in s.measures]
    code = f"""with raw as (
    select *
    from company.app.{s.name}
),

cleaned as (
    select
        {_listed(cleaned)}
    from raw
    where raw.{s.key} is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by {s.key}
            order by {s.dates[0]} desc
        ) as recency
    from cleaned
)

select
        {_listed([name for name, _ in _columns(s)])}
from ranked
where recency = 1
    and not {s.flags[0]}"""
    name = f"stg_{s.name}"
    return Model(name, "staging", s, code, _columns(s), (f"source.company.app.{s.name}",))


def _enriched(s: Subject) -> Model:
    added: list[Column] = []
    taken: list[str] = []
    joins: list[str] = []
    ctes: list[str] = []
    for number, parent in enumerate(s.parents):
        alias = f"parent_{number}"
        category, measure = next(iter(parent.categories)), parent.measures[0]
        column = f"{parent.name}_{category}"
        ctes.append(f"""{alias} as (
    select
        {parent.key},
        {category} as {column},
        {measure} as {parent.name}_value
    from company.staging.stg_{parent.name}
    where not {parent.flags[1]}
),
""")
        taken += [
            f"{alias}.{column}",
            f"coalesce({alias}.{parent.name}_value, 0) as reference_{number}",
        ]
        added += [(column, "VARCHAR"), (f"reference_{number}", "DECIMAL(18,2)")]
        joins.append(f"left join {alias}\n        on base.{parent.key} = {alias}.{parent.key}")
    total = " + ".join(f"base.{name}" for name in s.measures[:-1])
    code = f"""with base as (
    select *
    from company.staging.stg_{s.name}
    where {s.dates[0]} >= timestamp '2019-01-01'
),

{chr(10).join(ctes)}
joined as (
    select
        base.*,
        {_listed([*taken, f"{total} - base.{s.measures[-1]} as net_value"])},
        datediff('day', base.{s.dates[0]}, base.{s.dates[1]}) as days_taken
    from base
    {(chr(10) + "    ").join(joins)}
)

select
    joined.*,
    sum(net_value) over (
        partition by {next(iter(s.categories))}
        order by {s.dates[0]}
        rows between unbounded preceding and current row
    ) as running_value,
    lag(net_value) over (partition by {s.flags[1]} order by {s.dates[0]}) as previous_value
from joined
where days_taken is null or days_taken >= 0"""
    columns = (
        *_columns(s), *added, ("net_value", "DECIMAL(18,2)"), ("days_taken", "BIGINT"),
        ("running_value", "DECIMAL(18,2)"), ("previous_value", "DECIMAL(18,2)"),
    )  # fmt: skip
    above = (_ref(f"stg_{s.name}"), *(_ref(f"stg_{parent.name}") for parent in s.parents))
    return Model(f"int_{s.name}_enriched", "intermediate", s, code, columns, above)


def _daily(s: Subject) -> Model:
    category, values = next(iter(s.categories.items()))
    sums = [f"sum({name}) as total_{name}" for name in s.measures]
    sums += [
        f"sum(case when {category} = '{value}' then {s.measures[0]} else 0 end) as {value}_value"
        for value in values
    ]
    sums += [
        f"count(distinct case when {flag} then {s.key} end) as {flag[3:]}_rows" for flag in s.flags
    ]
    names = [each.rpartition(" as ")[2] for each in sums]
    code = f"""with enriched as (
    select * from company.intermediate.int_{s.name}_enriched
),

daily as (
    select
        cast(date_trunc('day', {s.dates[0]}) as date) as day,
        {category},
        count(*) as rows_seen,
        {_listed(sums)}
    from enriched
    where {category} <> 'other'
        and not {s.flags[1]}
    group by 1, 2
),

smoothed as (
    select
        daily.*,
        avg(rows_seen) over (
            partition by {category}
            order by day
            rows between 6 preceding and current row
        ) as weekly_average,
        rank() over (partition by day order by rows_seen desc) as place
    from daily
)

select
    day,
    {category},
    rows_seen,
    {("," + chr(10) + "    ").join(names)},
    weekly_average,
    place
from smoothed"""
    columns = (
        ("day", "DATE"), (category, "VARCHAR"), ("rows_seen", "BIGINT"),
        *((name, "DECIMAL(38,2)") for name in names),
        ("weekly_average", "DOUBLE"), ("place", "BIGINT"),
    )  # fmt: skip
    above = (_ref(f"int_{s.name}_enriched"),)
    return Model(f"int_{s.name}_daily", "intermediate", s, code, columns, above)


def _dimension(s: Subject) -> Model:
    category, measure = next(iter(s.categories)), s.measures[0]
    plain = [name for name, _ in _columns(s)]
    code = f"""with rows_of as (
    select * from company.staging.stg_{s.name}
),

days as (
    select
        {category},
        max(day) as last_day,
        sum(rows_seen) as rows_seen,
        max(weekly_average) as best_week
    from company.intermediate.int_{s.name}_daily
    group by {category}
),

bounds as (
    select
        {category},
        min({s.dates[0]}) as first_at,
        max({s.dates[0]}) as last_at
    from rows_of
    where {category} <> 'other'
    group by {category}
),

final as (
    select
        {_listed([f"rows_of.{name}" for name in plain])},
        days.last_day,
        days.best_week,
        case
            when rows_of.{measure} >= {s.limit * 10} then 'large'
            when rows_of.{measure} >= {s.limit} then 'medium'
            else 'small'
        end as {s.name}_size,
        case
            when rows_of.{s.flags[1]} then 'excluded'
            when bounds.last_at < timestamp '2021-01-01' then 'dormant'
            else 'active'
        end as lifecycle
    from rows_of
    left join days
        on rows_of.{category} = days.{category}
    left join bounds
        on rows_of.{category} = bounds.{category}
    where not rows_of.{s.flags[1]}
)

select * from final"""
    columns = (
        *_columns(s), ("last_day", "DATE"), ("best_week", "DOUBLE"),
        (f"{s.name}_size", "VARCHAR"), ("lifecycle", "VARCHAR"),
    )  # fmt: skip
    above = (_ref(f"stg_{s.name}"), _ref(f"int_{s.name}_daily"))
    return Model(f"dim_{s.name}", "marts", s, code, columns, above)


def _fact(s: Subject) -> Model:
    category, measure = next(iter(s.categories)), s.measures[0]
    ctes: list[str] = []
    joins: list[str] = []
    taken: list[Column] = []
    for parent in s.parents:
        alias = f"{parent.name}_rows"
        label = next(iter(parent.categories))
        ctes.append(f"""{alias} as (
    select
        {parent.key},
        {label} as {parent.name}_label,
        {parent.name}_size,
        lifecycle as {parent.name}_lifecycle
    from company.marts.dim_{parent.name}
    where lifecycle <> 'excluded'
),
""")
        names = ("label", "size", "lifecycle")
        taken += [(f"{parent.name}_{each}", "VARCHAR") for each in names]
        joins.append(f"left join {alias}\n        on facts.{parent.key} = {alias}.{parent.key}")
    measured = [f"round(facts.{name}, 2) as {name}" for name in s.measures]
    keys = [s.key, *(p.key for p in s.parents), *s.categories, *s.flags, *s.dates]
    outside = [f"{name.rpartition('_')[0]}_rows.{name}" for name, _ in taken]
    code = f"""with facts as (
    select *
    from company.intermediate.int_{s.name}_enriched
    where not {s.flags[1]}
        and {category} <> 'other'
),

{chr(10).join(ctes)}
totals as (
    select
        {category},
        sum({measure}) as category_value,
        count(*) as category_rows
    from facts
    where net_value > 0
    group by {category}
    having count(*) > 5
),

joined as (
    select
        {_listed([*(f"facts.{name}" for name in keys), *measured, *outside])},
        facts.net_value,
        facts.days_taken,
        totals.category_value,
        facts.net_value / nullif(totals.category_value, 0) as share_of_category,
        case
            when facts.days_taken <= 1 then 'fast'
            when facts.days_taken between 2 and 7 then 'usual'
            when facts.days_taken > {s.limit} then 'lost'
            else 'slow'
        end as pace,
        dense_rank() over (
            partition by facts.{category}
            order by facts.net_value desc
        ) as rank_in_category
    from facts
    {(chr(10) + "    ").join(joins)}
    left join totals
        on facts.{category} = totals.{category}
)

select
    joined.*,
    date_trunc('month', joined.{s.dates[0]}) as month,
    extract(year from joined.{s.dates[0]}) as year
from joined
where joined.rank_in_category <= 100000
    and joined.net_value is not null"""
    columns = (
        *((name, type_) for name, type_ in _columns(s)), *taken,
        ("net_value", "DECIMAL(18,2)"), ("days_taken", "BIGINT"),
        ("category_value", "DECIMAL(38,2)"),
        ("share_of_category", "DOUBLE"), ("pace", "VARCHAR"), ("rank_in_category", "BIGINT"),
        ("month", "TIMESTAMP"), ("year", "BIGINT"),
    )  # fmt: skip
    above = (_ref(f"int_{s.name}_enriched"), *(_ref(f"dim_{p.name}") for p in s.parents))
    return Model(f"fct_{s.name}", "marts", s, code, columns, above)
