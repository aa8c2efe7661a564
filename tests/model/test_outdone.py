"""Of metrics that share words, the one whose name is said in full goes before the longer ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import Linker
from dbt_t2s.model.outdone import outdone, unsaid_kinds
from dbt_t2s.model.schema_index import SchemaIndex, today_of
from dbt_t2s.model.search import _hand_over, _logs
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import KEYWORDS
from tests.model.shop_schema import REVENUE


@pytest.fixture(scope="module")
def families(schema: ProjectSchema, encoder: Encoder) -> SchemaIndex:
    """The shop with two metrics more, whose names go on from "revenue"."""
    longer = tuple(
        replace(REVENUE, name=name, label=label, synonyms=(), description="")
        for name, label in (
            ("revenue_growth", "Revenue growth"),
            ("revenue_year_to_date", "Revenue year to date"),
        )
    )
    more = replace(schema, metrics=(*schema.metrics, *longer))
    return SchemaIndex(more, encoder, today_of(more))


def pairs(index: SchemaIndex, question: str) -> set[tuple[str, str]]:
    (linked,) = Linker(index).link([question])
    tokens = [item.token for item in linked.items]
    return {(tokens[what], tokens[by]) for what, by in outdone(linked).items()}


@pytest.mark.parametrize(
    "question", ["revenue", "Revenue by month", "show me the revenue of each year"]
)
def test_the_name_said_in_full_goes_before_longer_ones(
    families: SchemaIndex, question: str
) -> None:
    found = pairs(families, question)
    assert ("m:revenue_growth", "m:revenue") in found
    assert "m:revenue" not in {what for what, _ in found}


@pytest.mark.parametrize(
    "question",
    [
        "revenue growth by month",  # said in full
        "growth of revenue",  # all its words are said
        "how did revenue grow by month",  # a word is left that may mean it
        "revenue trend",
        "",
    ],
)
def test_a_longer_name_that_may_be_meant_stays(families: SchemaIndex, question: str) -> None:
    assert "m:revenue_growth" not in {what for what, _ in pairs(families, question)}


def test_a_grain_is_no_part_of_a_name(families: SchemaIndex) -> None:
    assert ("m:revenue_year_to_date", "m:revenue") in pairs(families, "revenue by year")
    assert "m:revenue_year_to_date" not in {
        what for what, _ in pairs(families, "revenue year to date")
    }


@pytest.mark.parametrize(
    ("question", "unsaid"),
    [
        ("how much revenue did we make", {"m:revenue_growth", "m:revenue_year_to_date"}),
        ("growth of revenue", {"m:revenue_year_to_date"}),
        ("revenue to this date in the year", {"m:revenue_growth"}),
    ],
)
def test_a_kind_of_a_metric_that_nothing_asks_for(
    families: SchemaIndex, question: str, unsaid: set[str]
) -> None:
    (linked,) = Linker(families).link([question])
    assert {linked.items[at].token for at in unsaid_kinds(linked)} == unsaid


def shared(scores: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """Chances where the second item is passed over for the first."""
    logs = _logs(scores, allowed)
    _hand_over(logs, allowed, {1: 0})
    return logs.exp()


def test_what_is_passed_over_gives_its_share() -> None:
    base = len(KEYWORDS)
    scores = torch.zeros(base + 3)
    allowed = torch.ones(base + 3, dtype=torch.bool)
    before = torch.log_softmax(scores, -1).exp()
    after = shared(scores, allowed)
    assert float(after[base + 1]) == 0.0
    assert float(after[base]) == pytest.approx(float(before[base] + before[base + 1]))
    assert float(after.sum()) == pytest.approx(1.0)


def test_what_the_grammar_forbids_gets_nothing() -> None:
    base = len(KEYWORDS)
    allowed = torch.ones(base + 2, dtype=torch.bool)
    allowed[base] = False
    after = shared(torch.zeros(base + 2), allowed)
    assert float(after[base]) == 0.0
    assert float(after[base + 1]) > 0.0
