"""Every shape of question, over many seeds: plans that bind, run and are found in the words."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from dbt_t2s.corpus.conditions import Conditions
from dbt_t2s.corpus.measure_shapes import MeasureShapes
from dbt_t2s.corpus.row_shapes import RowShapes
from dbt_t2s.corpus.shapes import Draft, Shape
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.duck import Rows
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.grammar import Grammar, State
from dbt_t2s.query.items import Item, mention_item, schema_items
from dbt_t2s.query.linear import KEYWORDS, from_tokens, to_tokens
from dbt_t2s.query.link import ValueIndex, mentions
from dbt_t2s.query.plan import RuleRef
from tests.model.shop_schema import AS_OF, shop_schema

SCHEMA = shop_schema()
TODAY = date.fromisoformat(AS_OF)
WORDS = Vocabulary(SCHEMA)
CONDITIONS = Conditions(WORDS, TODAY)
VALUES = ValueIndex(SCHEMA)
SHAPES = (*MeasureShapes(WORDS, CONDITIONS).shapes(), *RowShapes(WORDS, CONDITIONS).shapes())
# Metrics that only MetricFlow can write are not part of this shop.
NAMED = {shape.__name__: shape for _, _, shape in SHAPES if shape.__name__ != "only_compiled"}
TYPES = {
    "single table", "join", "metric", "filter", "grouping", "date range", "NULL handling",
    "nested", "top-k",
}  # fmt: skip


def drafts(shape: Shape, seeds: int) -> list[Draft]:
    return [d for d in (shape(Random(seed)) for seed in range(seeds)) if d is not None]


def grammar_takes(grammar: Grammar, known: dict[str, Item], tokens: tuple[str, ...]) -> bool:
    state = State()
    for token in tokens:
        if token in KEYWORDS:
            if token not in grammar.keywords(state):
                return False
            state = grammar.after_keyword(state, token)
        else:
            item = known.get(token) or mention_item(token, SCHEMA)
            if not next(iter(grammar.items(state, (item,)))):
                return False
            state = grammar.after_item(state, item)
    return state.done


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_shape_draws_questions_that_bind_and_link(name: str) -> None:
    made = drafts(NAMED[name], 200)
    assert len(made) >= 8, "the shape hardly ever draws anything"
    binder = Binder(SCHEMA)
    grammar = Grammar(SCHEMA, binder.graph)
    known = {item.token: item for item in schema_items(SCHEMA, binder)}
    unbound, unlinked, unwritable = [], [], []
    for draft in made:
        assert draft.plan is not None
        assert draft.type in TYPES
        assert draft.phase in (1, 2, 3)
        assert draft.text == draft.text.strip() and "  " not in draft.text
        assert "{" not in draft.text and "None" not in draft.text
        tokens = to_tokens(draft.plan)
        assert from_tokens(tokens) == draft.plan
        try:
            binder.sql(draft.plan)
        except QueryPlanError as error:
            unbound.append(f"{draft.text}: {error}")
            continue
        needed = {t for t in tokens if t[:2] in ("v:", "d:", "n:", "s:")}
        if not needed <= {m.token for m in mentions(draft.text, VALUES, TODAY)}:
            unlinked.append(f"{draft.text}: {tokens}")
        elif not grammar_takes(grammar, known, tokens):
            unwritable.append(f"{draft.text}: {tokens}")
    assert len(unbound) <= 0.1 * len(made), unbound[:5]
    assert len(unlinked) <= 0.2 * len(made), unlinked[:5]
    assert not unwritable, unwritable[:5]


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_shape_draws_the_same_from_the_same_seed(name: str) -> None:
    assert drafts(NAMED[name], 30) == drafts(NAMED[name], 30)


def test_plans_run(sandbox: Sandbox) -> None:
    binder = Binder(SCHEMA)
    for name, shape in NAMED.items():
        for draft in drafts(shape, 25)[:8]:
            assert draft.plan is not None
            try:
                sql = binder.sql(draft.plan)
            except QueryPlanError:
                continue  # counted above
            assert isinstance(sandbox.execute(sql), Rows), (name, draft.text, sql)


def test_shapes_without_their_material_draw_nothing(schema: ProjectSchema) -> None:
    compiled = MeasureShapes(WORDS, CONDITIONS).only_compiled
    assert drafts(compiled, 20) == []


def test_all_kinds_of_conditions_are_drawn() -> None:
    rng = Random(5)
    drawn = [s for s in (CONDITIONS.draw("orders", rng) for _ in range(400)) if s is not None]
    assert {type(s.pred).__name__ for s in drawn} >= {
        "Value", "During", "Compare", "Null", "RuleRef", "Or", "Not",
    }  # fmt: skip
    assert all(bool(s.before) != bool(s.after) for s in drawn)
    assert any(s.pred == RuleRef("bulk_order") for s in drawn)
    on_customers = [CONDITIONS.draw("customers", rng) for _ in range(400)]
    assert {"Flag", "Has"} <= {type(s.pred).__name__ for s in on_customers if s is not None}


def test_a_condition_keeps_off_columns_that_are_taken() -> None:
    rng = Random(6)
    for _ in range(200):
        said = CONDITIONS.draw("orders", rng, ("orders.status", "time"))
        assert said is None or said.about not in ("orders.status", "time")
