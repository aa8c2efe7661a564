"""A project's follow-ups are training rows of their own: words, plan, and the plan before."""

from __future__ import annotations

import json
from dataclasses import asdict

from dbt_t2s.corpus.examples import Example
from dbt_t2s.model.follow_ups import follow_ups
from dbt_t2s.model.rows import prepare
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens

PLANS = (
    "c:orders.status SUM c:orders.net_amount END",
    "MONTH TIME SUM c:orders.net_amount WHERE d:2025-01-01/2026-01-01 END",
    "c:customers.country COUNT t:orders END",
)


def rows_of(index: SchemaIndex) -> list[dict[str, object]]:
    made = []
    for number in range(40):
        tokens = PLANS[number % len(PLANS)].split()
        plan = from_tokens(tokens)
        assert plan is not None
        sql = Binder(index.schema).sql(plan)
        made.append(
            asdict(
                Example(f"e{number}", "train", 2, "grouping", f"question {number}", sql,
                        json.dumps(tokens), "t", "s")
            )
        )  # fmt: skip
    return made


def test_each_comes_after_the_plan_of_an_example(index: SchemaIndex) -> None:
    rows = rows_of(index)
    made = follow_ups(rows, index.schema, seed=0)
    assert len(made) == len(rows) // 10 == len({row["id"] for row in made})
    known = {str(row["plan"]) for row in rows}
    assert {str(row["before"]) for row in made} <= known
    assert any(row["plan"] != row["before"] for row in made)
    assert made == follow_ups(rows, index.schema, seed=0) != follow_ups(rows, index.schema, seed=1)


def test_the_network_is_told_the_plan_before(index: SchemaIndex) -> None:
    made = follow_ups(rows_of(index), index.schema, seed=0)
    rows, dropped = prepare(made, index, None, "")
    assert len(rows) + dropped == len(made) and len(rows) > len(made) / 2
    assert all(row.linked.before for row in rows)
