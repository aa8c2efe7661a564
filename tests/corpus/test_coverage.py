"""Coverage: what is bare is drawn for by name, what cannot be asked about says why."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from dbt_t2s.corpus.bare import why_bare
from dbt_t2s.corpus.card import card
from dbt_t2s.corpus.coverage import EXAMPLES, WORDINGS, Ledger
from dbt_t2s.corpus.duplicates import NearIndex
from dbt_t2s.corpus.examples import Corpus, Example
from dbt_t2s.corpus.focus import Focused
from dbt_t2s.corpus.generate import generate
from dbt_t2s.corpus.mined import parts_of_sql
from dbt_t2s.corpus.patterns import Pattern
from dbt_t2s.corpus.splits import combination
from dbt_t2s.corpus.things import Things
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import Column, Join, Kind, Level, ProjectSchema, Role
from tests.model.shop_schema import amount, category, key, one_table, shop_schema, warehouse


def test_all_that_can_be_asked_about_is_asked_about_enough(corpus: Corpus) -> None:
    found = corpus.coverage
    assert found.complete == 1.0
    assert {each.thing for each in found.joins} == {
        "orders.customer_id = customers.customer_id",
        "orders.product_id = products.product_id",
    }
    for each in (*found.tables, *found.metrics, *found.joins, *found.rules):
        assert each.examples >= EXAMPLES and each.wordings >= WORDINGS, each
    keys = {issue.where for issue in found.issues}
    assert keys == {"orders.customer_id", "orders.product_id"}
    assert all(issue.level is Level.INFO for issue in found.issues)


def test_what_is_bare_is_drawn_for_by_name(schema: ProjectSchema, sandbox: Sandbox) -> None:
    """Of 60 examples 30 come as they come: the rest fills what those left bare."""
    corpus = generate(schema, (), sandbox.execute, max_examples=60)
    drawn_for = [e for e in corpus.examples if " " in e.origin]
    assert len(drawn_for) > 10
    things = Things(schema, Vocabulary(schema))
    for example in drawn_for:
        about = example.origin.partition(" ")[2]
        assert about in things.of(json.loads(example.plan), example.sql), example


@pytest.mark.parametrize("thing", ["t:nothing", "m:nothing", "r:nothing", "j:a.b = c.d"])
def test_a_thing_that_is_not_there_has_no_vocabulary(schema: ProjectSchema, thing: str) -> None:
    assert Focused.on(Vocabulary(schema), thing) is None


def test_a_focused_vocabulary_leaves_the_whole_one_as_it_was(schema: ProjectSchema) -> None:
    words = Vocabulary(schema)
    before = (dict(words.weights), words.dimensions("orders"))
    focused = Focused.on(words, "c:orders.channel")
    assert focused is not None
    assert [d.column.name for d in focused.dimensions("orders")] == ["channel"]
    assert focused.tables["orders"].column("order_id") and focused.is_shared("customer_id")
    assert (dict(words.weights), words.dimensions("orders")) == before


def test_what_cannot_be_asked_about_says_why(tmp_path: Path) -> None:
    schema = one_table(
        key("order_id"),
        category("status", ("a", "b", "c")),
        Column("note", "VARCHAR", Kind.TEXT, Role.TEXT, personal=True),
    )
    rows = (
        "create table orders as select range + 1 as order_id, 'a' as status,"
        " 'n' as note from range(9)"
    )
    with warehouse(tmp_path, schema, rows) as sandbox:
        corpus = generate(schema, (), sandbox.execute, max_examples=40)
    said = {issue.where: issue.message for issue in corpus.coverage.issues}
    assert "personal data" in said["orders.note"]
    told = card(corpus, schema, 0, "1")
    assert "orders.note" in told
    assert "No person wrote these questions." in told


def test_a_thing_whose_sql_gives_nothing_says_what_came(tmp_path: Path) -> None:
    schema = one_table(key("order_id"), amount("net_amount", "90"))
    rows = "create table orders as select range + 1 as order_id, range as gross from range(9)"
    with warehouse(tmp_path, schema, rows) as sandbox:
        corpus = generate(schema, (), sandbox.execute, max_examples=40)
    (issue,) = [i for i in corpus.coverage.issues if i.where == "orders.net_amount"]
    assert issue.level is Level.WARNING and "net_amount" in issue.message
    assert corpus.coverage.complete < 1


def test_what_no_other_shape_asks_about_is_asked_about_plainly(tmp_path: Path) -> None:
    """A rank and a free text, in a table whose rows have neither a key nor a name."""
    rank = replace(amount("margin_rank", "4"), role=Role.MEASURE)
    detail = Column("detail", "VARCHAR", Kind.TEXT, Role.TEXT)
    schema = one_table(rank, detail, name="leaks")
    script = "create table leaks as select 1 as margin_rank, 'a tap that drips' as detail"
    with warehouse(tmp_path, schema, script) as sandbox:
        corpus = generate(schema, (), sandbox.execute, max_examples=40)
    asked = {each.thing: each for each in corpus.coverage.columns}
    assert asked["leaks.detail"].examples >= EXAMPLES
    assert asked["leaks.margin_rank"].examples >= EXAMPLES
    plain = {e.template for e in corpus.examples if e.origin.endswith("c:leaks.detail")}
    assert plain and plain <= {"column", "beside"}


def test_an_edge_beside_a_shorter_way_says_so(tmp_path: Path) -> None:
    """Plans name no edge: of two between the same tables the first is taken."""
    found = shop_schema()
    twin = next(join for join in found.joins if join.table == "orders")
    other = replace(twin, columns=("product_id",), to_table=twin.to_table)
    schema = replace(found, joins=(*found.joins, other))
    edge = f"orders.product_id = {twin.to_table}.{twin.to_columns[0]}"
    why, _ = why_bare(schema, Vocabulary(schema), f"j:{edge}", "")
    assert why == f"orders and {twin.to_table} are joined by {twin.columns[0]} wherever both occur"


_PAIRS = """
create table places as select 'p' || range as place_id, 'Town ' || range as town from range(6);
create table trips as select range as trip_id, 'p' || range % 6 as stop_a_id,
'p' || range % 5 as stop_b_id, 'p' || range % 6 as place_id, 'x' || range % 6 as depot_id,
range as distance from range(40)
"""


def test_a_second_edge_between_two_tables_is_asked_about_or_says_why(tmp_path: Path) -> None:
    """Its words tell it; where the data has it as the first, or joins nothing by it, none can."""
    ends = ("stop_a_id", "stop_b_id", "place_id", "depot_id")
    columns = (
        key("trip_id"),
        *(key(each, Role.FOREIGN_KEY) for each in ends),
        amount("distance", "39"),
    )
    trips = one_table(*columns, name="trips").tables[0]
    places = one_table(key("place_id"), category("town", ("Town 1",)), name="places").tables[0]
    joins = tuple(Join("trips", (e,), "places", ("place_id",), proven=True) for e in ends)
    schema = ProjectSchema("trips", "duckdb", (trips, places), joins)
    with warehouse(tmp_path, schema, _PAIRS) as sandbox:
        corpus = generate(schema, (), sandbox.execute, max_examples=60)
    asked = {each.thing: each.examples for each in corpus.coverage.joins}
    assert asked["trips.stop_b_id = places.place_id"] >= EXAMPLES
    said = {i.where: (i.level, i.message) for i in corpus.coverage.issues if " = " in i.where}
    assert said == {
        "trips.place_id = places.place_id": (
            Level.INFO,
            "not asked about: its key is in every row the same as trips.stop_a_id",
        ),
        "trips.depot_id = places.place_id": (
            Level.INFO,
            "not asked about: no row of one has a partner in the other: trips and places",
        ),
    }
    assert corpus.coverage.complete == 1.0


def test_no_near_duplicate_and_no_combination_crosses_a_split(corpus: Corpus) -> None:
    index = NearIndex()
    splits: dict[str, set[str]] = defaultdict(set)
    for at, example in enumerate(corpus.examples):
        for close in index.near(example.question):
            other = corpus.examples[close]
            assert other.split == example.split and other.plan != example.plan
        index.add(example.question)
        if example.sql:
            splits[combination(json.loads(example.plan))].add(example.split)
        assert at < 600
    assert all(len(found) == 1 for found in splits.values())


def test_mined_templates_count_what_is_built_alike(schema: ProjectSchema) -> None:
    patterns = (
        Pattern("…", 3, joins=("a.x = b.y",), aggregations=("SUM(a.n)",), template="join and sum"),
        Pattern("…", 1, aggregations=("FIRST_VALUE(a.n)",), template="first value"),
    )
    sql = "select status,\nsum(n)\nfrom a\njoin b on a.x = b.y\ngroup by 1"
    assert parts_of_sql(sql) == {"join", "group", "sum"}
    ledger = Ledger(schema, patterns)
    plan = '["c:orders.status", "SUM", "c:orders.quantity", "END"]'
    for statement in (sql, "select sum(n) from a"):
        ledger.add(Example("1", "train", 2, "join", "q", statement, plan, "by", ""))
    counted = {each.thing: each.examples for each in ledger.coverage({}).patterns}
    assert counted == {"join and sum": 1, "first value": 0}


def test_wordings_differ_by_more_than_names_and_numbers(schema: ProjectSchema) -> None:
    ledger = Ledger(schema)
    same = ("Revenue by country in 2024", "quantity by channel in 2025")
    assert len({ledger.wording(each) for each in same}) == 1
    assert ledger.wording("what is revenue by country in 2024") != ledger.wording(same[0])


def test_rows_say_where_they_are_from(corpus: Corpus) -> None:
    named = [e for e in corpus.examples if "r:bulk_order" in e.plan]
    assert named and all("bulk_order" in e.rules for e in named)
    sample = Random(1).sample(corpus.examples, 50)
    assert all(e.origin.startswith("1/") and e.template for e in sample)
