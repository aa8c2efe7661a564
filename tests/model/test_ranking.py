"""The ranking of plans: what the question says and a plan leaves unused counts against it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import Linked, Linker
from dbt_t2s.model.ranking import FEATURES, Explained, Ranking, refusal_features
from dbt_t2s.model.schema_index import SchemaIndex, today_of
from dbt_t2s.model.search import Found
from dbt_t2s.project.schema import ProjectSchema
from tests.model.shop_schema import category


def link(index: SchemaIndex, question: str) -> Linked:
    (linked,) = Linker(index).link([question])
    return linked


def found(text: str, probability: float) -> Found:
    return Found(tuple(text.split()), probability)


def test_a_plan_that_uses_the_date_beats_a_likelier_one_that_does_not(index: SchemaIndex) -> None:
    linked = link(index, "revenue in 2025")
    (date,) = (i.token for i in linked.items if i.sort == "d")
    without = found("m:revenue END", 0.5)
    dated = found(f"m:revenue WHERE {date} END", 0.3)
    assert Ranking().order((without, dated), Explained(linked))[0][1] == dated


def test_shares_add_up_and_come_best_first(index: SchemaIndex) -> None:
    linked = link(index, "revenue by country")
    plans = (found("m:revenue END", 0.2), found("c:customers.country m:revenue END", 0.6))
    shares = [share for share, _ in Ranking().order(plans, Explained(linked))]
    assert sum(shares) == pytest.approx(1.0)
    assert shares == sorted(shares, reverse=True)


def test_no_plans_have_no_order(index: SchemaIndex) -> None:
    assert Ranking().order((), Explained(link(index, "revenue"))) == []


def test_features_are_finite_for_any_question(index: SchemaIndex) -> None:
    for question in ("?", "the of and", "revenue " * 80, "ünïcödé 日本語"):
        linked = link(index, question)
        features = Explained(linked).features(found("m:revenue END", 0.0))
        assert features.shape == (FEATURES,)
        assert all(abs(x) < 1e4 for x in features.tolist())
        assert all(abs(x) < 1e4 for x in refusal_features(1.0, (), Explained(linked)).tolist())


def test_the_surer_the_network_is_to_refuse_the_likelier_a_refusal(index: SchemaIndex) -> None:
    linked = link(index, "revenue by country")
    ordered = Ranking().order((found("m:revenue END", 0.5),), Explained(linked))
    chances = [Ranking().refusal(p, ordered, Explained(linked)) for p in (0.01, 0.5, 0.99)]
    assert chances == sorted(chances)
    assert 0 <= chances[0] <= chances[-1] <= 1


def test_a_question_that_the_plan_says_whole_is_refused_only_by_a_sure_network(
    index: SchemaIndex,
) -> None:
    linked = link(index, "What is the revenue?")
    plan = found("m:revenue END", 0.6)
    assert Explained(linked).all_said(plan)
    ordered = Ranking().order((plan,), Explained(linked))
    assert Ranking().refusal(0.05, ordered, Explained(linked)) <= 0.05
    assert Ranking().refusal(0.99, ordered, Explained(linked)) > 0.5


def test_where_nothing_is_documented_only_the_network_refuses(index: SchemaIndex) -> None:
    linked = link(index, "What is the revenue of our zeppelins?")
    ordered = Ranking().order((found("m:revenue END", 0.1),), Explained(linked))
    assert Ranking().refusal(0.45, ordered, Explained(linked)) > 0.5
    assert Ranking().refusal(0.45, ordered, Explained(linked), documented=False) <= 0.45


def test_what_names_the_table_of_what_is_used_is_known(index: SchemaIndex) -> None:
    linked = link(index, "revenue of customers in Germany")
    plan = found("m:revenue WHERE v:customers.country=Germany END", 0.6)
    explained = Explained(linked)
    assert explained.all_known(plan)
    assert not explained.all_said(plan)
    ordered = Ranking().order((plan,), explained)
    assert Ranking().refusal(0.3, ordered, explained) <= 0.3
    assert not explained.all_known(found("m:revenue END", 0.6))


def test_a_word_that_nothing_names_is_left_unsaid(index: SchemaIndex) -> None:
    plan = found("m:revenue END", 0.6)
    for question in ("What is the revenue of our zeppelins?", "show me all of it", "?"):
        explained = Explained(link(index, question))
        assert not explained.all_said(plan)
        assert not explained.all_known(plan)


def test_a_value_that_no_word_names_is_told_from_one_that_is_said(index: SchemaIndex) -> None:
    sent_back = found("COUNT t:orders WHERE v:orders.status=returned END", 0.6)
    others = slice(22, 25)
    said = Explained(link(index, "how many orders were returned")).features(sent_back)[others]
    assert said.tolist() == [0, 0, 0]
    linked = link(index, "how many orders were sent back")
    count, near, whole = Explained(linked).features(sent_back)[others]
    assert count == 1 and 0 < near < 1 and 0 < whole < 1
    neither = Explained(linked).features(found("COUNT t:orders END", 0.6))[others]
    assert neither.tolist() == [0, 0, 0]


def test_a_plan_is_as_likely_as_the_candidate_ranker_finds_its_items(index: SchemaIndex) -> None:
    linked = link(index, "how many orders were returned")
    ranked = slice(25, 28)
    mentions = [item.sort in "vnds" for item in linked.items]
    assert np.isnan(linked.odds).tolist() == mentions
    counted = found("COUNT t:orders WHERE v:orders.status=returned END", 0.6)
    whole, least, most = Explained(linked).features(counted)[ranked]
    chances = {
        item.token: 1 / (1 + np.exp(-float(odds)))
        for item, odds in zip(linked.items, linked.odds, strict=True)
        if not np.isnan(odds)
    }
    orders = chances.pop("t:orders")
    left = [np.log1p(-chance) for chance in chances.values()]
    assert least == pytest.approx(np.log(orders), rel=1e-3)
    assert most == pytest.approx(min(left), rel=1e-3)
    assert whole == pytest.approx(np.log(orders) + sum(left), rel=1e-3)
    listed = found("c:customers.country WHERE v:orders.status=returned END", 0.6)
    assert Explained(linked).features(listed)[ranked][0] < whole


@pytest.fixture(scope="module")
def mailed(schema: ProjectSchema, encoder: Encoder) -> SchemaIndex:
    """The shop, with a channel called as a column is, and a discount called as a share is."""
    values = {"channel": ("web", "store", "email"), "promotion": ("percentage", "voucher")}
    tables = tuple(
        replace(
            table,
            columns=(
                *(replace(c, values=values.get(c.name, c.values)) for c in table.columns),
                *((category("promotion", values["promotion"]),) if table.name == "orders" else ()),
            ),
        )
        for table in schema.tables
    )
    made = replace(schema, tables=tables)
    return SchemaIndex(made, encoder, today_of(made))


@pytest.mark.parametrize(
    ("question", "twice", "once"),
    [
        (
            "how many customers have no email",
            "COUNT t:customers WHERE v:orders.channel=email NULL c:customers.email END",
            "COUNT t:customers WHERE NULL c:customers.email END",
        ),
        (
            "what percentage of orders comes from each country",
            "c:customers.country SHARE m:order_count WHERE v:orders.promotion=percentage END",
            "c:customers.country SHARE m:order_count END",
        ),
    ],
)
def test_a_word_is_not_a_value_and_something_else(
    mailed: SchemaIndex, question: str, twice: str, once: str
) -> None:
    linked = link(mailed, question)
    value = next(t for t in twice.split() if t.startswith("v:"))
    assert value in {item.token for item in linked.items}
    order = Ranking().order((found(twice, 0.4), found(once, 0.28)), Explained(linked))
    assert order[0][1].tokens == tuple(once.split())


def test_a_value_said_beside_its_measure_is_one(mailed: SchemaIndex) -> None:
    linked = link(mailed, "share of orders with promotion voucher by country")
    plan = found(
        "c:customers.country SHARE m:order_count WHERE v:orders.promotion=voucher END", 0.4
    )
    other = found("c:customers.country SHARE m:order_count END", 0.5)
    assert Ranking().order((other, plan), Explained(linked))[0][1] == plan
