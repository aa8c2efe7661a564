"""Clauses that change no condition: which are said of what."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from dbt_t2s.corpus import asides
from dbt_t2s.corpus.asides import Asides
from dbt_t2s.corpus.shapes import Draft
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.link import ValueIndex, mentions
from tests.query.shop import shop_schema

_RULED = Vocabulary(shop_schema(always=True))
_PLAIN = Vocabulary(shop_schema())


def _said(words: Vocabulary, plan: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What is added to a question of one word."""
    monkeypatch.setattr(asides, "_OFTEN", 1.0)
    draft = Draft("orders?", from_tokens(plan.split()), "metric", 2)
    made = [Asides(words).added(draft, Random(seed)) for seed in range(200)]
    assert all(d.plan is draft.plan for d in made)
    assert all(d.text.startswith("orders") for d in made)
    return {d.text.removeprefix("orders").removesuffix("?") for d in made} - {""}


def test_what_a_rule_leaves_out_anyway_may_be_left_out_aloud(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = _said(_RULED, "m:revenue END", monkeypatch)
    assert any("cancelled" in text and ("no " in text or "without" in text) for text in said)
    assert not any("cancelled" in text and "includ" in text for text in said)


def test_what_no_rule_leaves_out_is_said_to_be_in(monkeypatch: pytest.MonkeyPatch) -> None:
    said = _said(_PLAIN, "m:revenue END", monkeypatch)
    assert any("cancelled" in text and "includ" in text for text in said)
    assert not any(text.startswith((", no ", " (no ", ", without", ", excluding")) for text in said)


def test_nothing_is_said_of_what_the_question_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = "m:completed_revenue WHERE c:orders.is_gift END"
    assert _said(_PLAIN, plan, monkeypatch) == set()


def test_most_questions_stay_as_they_are() -> None:
    draft = Draft("orders", from_tokens(("m:revenue", "END")), "metric", 2)
    texts = [Asides(_PLAIN).added(draft, Random(seed)).text for seed in range(300)]
    assert 0 < sum(text != "orders" for text in texts) < 60


def test_a_clause_names_values_that_the_linker_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    values = ValueIndex(_PLAIN.schema)
    found = [
        {m.token for m in mentions(f"orders{text}", values, date(2026, 6, 30))}
        for text in _said(_PLAIN, "m:revenue END", monkeypatch)
        if "cancelled" in text
    ]
    assert found and all("v:orders.status=cancelled" in tokens for tokens in found)
