"""Follow-ups that the generator makes of examples."""

from __future__ import annotations

import json
from datetime import date

import pytest

from dbt_t2s.corpus.dialogues import PHASE, Dialogue, Dialogues
from dbt_t2s.corpus.examples import Example
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens
from tests.model.shop_schema import shop_schema

PLANS = (
    "MONTH TIME m:revenue WHERE d:2025-01-01/2026-01-01 END",
    "c:orders.status m:revenue END",
    "c:customers.country COUNT t:orders END",
    "AVG c:orders.amount WHERE v:orders.status=paid END",
    "c:customers.name WHERE v:customers.country=FR END",
)


@pytest.fixture(scope="module", name="made")
def made_fixture() -> tuple[Dialogue, ...]:
    schema = shop_schema()
    binder = Binder(schema)
    examples = []
    for number in range(60):
        tokens = PLANS[number % len(PLANS)].split()
        plan = from_tokens(tokens)
        assert plan is not None
        try:
            sql = binder.sql(plan)
        except QueryPlanError:  # a plan of another schema is no example here
            continue
        examples.append(
            Example(f"e{number}", "train", 2, "grouping", f"question {number}", sql,
                    json.dumps(tokens), "t", "s")
        )  # fmt: skip
    assert examples
    return Dialogues(schema, date(2026, 6, 30)).make(examples, 0, 50)


def test_each_is_one_edit_away_and_binds(made: tuple[Dialogue, ...]) -> None:
    assert len(made) >= 20 and len({each.kind for each in made}) >= 6
    binder = Binder(shop_schema())
    for each in made:
        assert each.phase == PHASE and each.origin and each.question
        plan = from_tokens(json.loads(each.plan))
        if each.kind == "refused":
            assert plan is None and not each.sql
        else:
            assert plan is not None and binder.sql(plan) and each.plan != each.first_plan


def test_wordings_vary_and_the_same_seed_gives_the_same(made: tuple[Dialogue, ...]) -> None:
    assert len({each.question for each in made}) > 0.6 * len(made)
    examples = [
        Example(d.origin, d.split, 2, "", d.first, d.first_sql, d.first_plan, "", "") for d in made
    ]
    maker = Dialogues(shop_schema(), date(2026, 6, 30))
    assert maker.make(examples, 3, 9) == maker.make(examples[::-1], 3, 9)
    assert maker.make(examples, 4, 9) != maker.make(examples, 3, 9)
