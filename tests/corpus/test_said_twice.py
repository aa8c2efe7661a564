"""Words that two things go by: a value of two columns, a word before a count."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

import pytest

from dbt_t2s.corpus import asides
from dbt_t2s.corpus.asides import Asides
from dbt_t2s.corpus.conditions import Conditions
from dbt_t2s.corpus.measure_shapes import MeasureShapes
from dbt_t2s.corpus.measured import Measured
from dbt_t2s.corpus.shapes import Draft
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.project.schema import ProjectSchema, Rule
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.plan import Count, Or, Pred, Value
from tests.corpus.test_sense import CLUB, MEMBERS, VISITS
from tests.model.shop_schema import AS_OF, category

TODAY = date.fromisoformat(AS_OF)
LADDER = replace(
    MEMBERS,
    columns=(*MEMBERS.columns, category("rank_group", ("gold", "rest", "new", "old"))),
)
CLIMBERS: ProjectSchema = replace(CLUB, tables=(LADDER, *CLUB.tables[1:]))


def _values(pred: Pred) -> tuple[Value, ...]:
    return tuple(
        p for p in ((pred.left, pred.right) if isinstance(pred, Or) else (pred,))
        if isinstance(p, Value)
    )  # fmt: skip


@pytest.mark.parametrize("room", ["value", "either"])
def test_a_value_that_two_columns_hold_names_its_column(room: str) -> None:
    words = Vocabulary(CLIMBERS)
    conditions = Conditions(words, TODAY)
    names = {c.name: words.column_names(LADDER, c) for c in LADDER.columns}
    found = 0
    for seed in range(600):
        said = getattr(conditions, room)(LADDER, Random(seed))
        if said is None:
            continue
        doubled = [v for v in _values(said.pred) if v.value in ("gold", "new")]
        if doubled and doubled[0].table == LADDER.name:
            found += 1
            assert not said.before
            assert any(name in said.after for name in names[doubled[0].column])
    assert found > 20


def test_what_a_rule_wants_of_a_column_is_not_said_to_be_different(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asides, "_OFTEN", 1.0)
    stays = replace(VISITS, columns=(*VISITS.columns, category("visit_status", ("done", "missed"))))
    rule = Rule("done", "", "fct_visits", "visit_status = 'done'", always=True)
    draft = Draft("visits?", from_tokens(("COUNT", "t:fct_visits", "END")), "count", 1)
    plain = replace(CLUB, tables=(*CLUB.tables[:2], stays))
    said = {
        bool(schema.rules): " ".join(
            Asides(Vocabulary(schema)).added(draft, Random(seed)).text for seed in range(60)
        )
        for schema in (plain, replace(plain, rules=(rule,)))
    }
    assert "missed" in said[False]
    assert "missed" not in said[True]
    assert "done" not in said[True]


def test_no_word_stands_before_a_count_of_something() -> None:
    shapes = MeasureShapes(Vocabulary(CLIMBERS), Conditions(Vocabulary(CLIMBERS), TODAY))
    plain = Measured(Count(LADDER.name), "members", LADDER.name, counts=True)
    counted = replace(plain, name="count of members")
    drawn = {
        m: [shapes.filters(m, Random(s), (0, 1)) for s in range(200)] for m in (plain, counted)
    }
    assert any(where.before for where in drawn[plain])
    assert not any(where.before for where in drawn[counted])
