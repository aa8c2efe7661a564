"""The corpus as a whole: repeatable, proven by execution, split by plan, counted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest

from dbt_t2s import codec
from dbt_t2s.corpus.conditions import Conditions
from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.corpus.generate import generate
from dbt_t2s.corpus.refusals import Refusals
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.errors import CorpusError
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Rule
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.text import stem, words
from tests.model.shop_schema import (
    AS_OF,
    STATUSES,
    amount,
    category,
    day,
    key,
    one_table,
    warehouse,
)


def as_bytes(corpus: Corpus) -> bytes:
    return json.dumps(codec.encode(corpus, Corpus)).encode()


def test_the_same_seed_gives_the_same_bytes(schema: ProjectSchema, sandbox: Sandbox) -> None:
    made = [
        as_bytes(generate(schema, (), sandbox.execute, seed=s, max_examples=120)) for s in (3, 3, 4)
    ]
    assert made[0] == made[1]
    assert made[0] != made[2]


MAY_BE_EMPTY = ("listing", "two_columns", "related", "ordered_list")


def test_every_sql_runs_and_comes_from_its_plan(
    corpus: Corpus, schema: ProjectSchema, sandbox: Sandbox
) -> None:
    binder = Vocabulary(schema).binder
    for example in corpus.examples:
        plan = from_tokens(json.loads(example.plan))
        if plan is None:
            assert (example.sql, example.type) == ("", "refusal")
            continue
        assert example.sql == binder.sql(plan)
    asked = {e.sql: e for e in corpus.examples if e.sql}
    empty = 0
    for sql in sorted(asked)[::3]:
        result = sandbox.execute(sql)
        assert isinstance(result, Rows), sql
        # Whoever asks for a list does not know that it is empty; what is summed up says something.
        assert result.rows or asked[sql].template in MAY_BE_EMPTY, sql
        empty += not result.rows
    assert empty < 0.03 * len(asked)


def test_questions_are_distinct_and_ids_too(corpus: Corpus) -> None:
    assert len({e.id for e in corpus.examples}) == len(corpus.examples)
    assert len({" ".join(words_of(e.question)) for e in corpus.examples}) == len(corpus.examples)


def words_of(text: str) -> list[str]:
    return [w.text.lower() for w in words(text)]


def test_splits_share_no_plan(corpus: Corpus) -> None:
    splits: dict[str, set[str]] = {"train": set(), "dev": set(), "test": set()}
    for example in corpus.examples:
        splits[example.split].add(example.plan if example.sql else example.question)
    assert not splits["train"] & splits["dev"]
    assert not splits["train"] & splits["test"]
    assert not splits["dev"] & splits["test"]
    shares = Counter(e.split for e in corpus.examples)
    assert all(splits.values())
    assert shares["train"] > 0.8 * len(corpus.examples)


def test_all_phases_and_many_shapes(corpus: Corpus) -> None:
    assert {e.phase for e in corpus.examples} == {1, 2, 3}
    assert len({e.template for e in corpus.examples}) >= 18
    assert len({e.type for e in corpus.examples}) >= 9
    assert len({e.skeleton for e in corpus.examples}) > 60


def test_refusals_are_a_tenth_and_name_nothing_the_project_knows(
    corpus: Corpus, schema: ProjectSchema
) -> None:
    refused = [e for e in corpus.examples if e.type == "refusal"]
    assert 0.04 < len(refused) / len(corpus.examples) < 0.25
    assert all(json.loads(e.plan) == ["REFUSE", "END"] for e in refused)


def test_a_concept_that_the_project_knows_is_not_refused(schema: ProjectSchema) -> None:
    """Under whatever name: table, column, synonym, value, metric or rule."""
    invoices = replace(schema.table("orders"), name="invoices")
    orders = replace(schema.table("orders"), synonyms=("concert",))
    products = replace(
        schema.table("products"),
        columns=(*schema.table("products").columns, category("salary", ("laptop", "movie"))),
    )
    rule = Rule("incident", "Late.", "orders", "quantity > 1", synonyms=("deployment",))
    metrics = (*schema.metrics, replace(schema.metrics[0], name="ebitda", label="EBITDA"))
    known = replace(
        schema, tables=(orders, invoices, products), joins=(), metrics=metrics, rules=(rule,)
    )
    vocabulary = Vocabulary(known)
    refusals = Refusals(vocabulary, Conditions(vocabulary, date.fromisoformat(AS_OF)))
    refusals.prepare()
    # "salary" is the project's, so a salary band may not be refused either.
    names = "invoice concert salary laptop movie ebitda incident deployment"
    taboo = {stem(w) for w in names.split()}
    offered = (*refusals._things, *refusals._amounts, *refusals._traits)
    assert len(offered) > 100
    clashes = [c for c in offered if {stem(w) for w in words_of(c)} & taboo]
    assert not clashes, clashes
    rng = Random(2)
    for _ in range(200):
        draft = refusals.draw(rng)
        assert draft.plan is None and draft.type == "refusal" and draft.text


def test_coverage_counts_everything_in_the_schema(corpus: Corpus, schema: ProjectSchema) -> None:
    coverage = corpus.coverage
    assert coverage.examples == len(corpus.examples)
    assert [c.thing for c in coverage.columns] == [
        f"{t.name}.{c.name}" for t in schema.tables for c in t.columns
    ]
    assert [c.thing for c in coverage.metrics] == [m.name for m in schema.metrics]
    assert [c.thing for c in coverage.tables] == [t.name for t in schema.tables]
    assert [c.thing for c in coverage.rules] == ["bulk_order"]
    counted = {c.thing: c.examples for c in (*coverage.columns, *coverage.metrics)}
    assert counted["orders.status"] > 10
    assert all(counted[m.name] > 5 for m in schema.metrics)
    assert counted["orders.customer_id"] == 0  # a key: nobody asks for it
    assert sum(c.examples for c in coverage.by_type) == len(corpus.examples)
    assert sum(c.examples for c in coverage.by_phase) == len(corpus.examples)
    for thing in ("country", "segment"):
        token = f"customers.{thing}"
        held = sum(f"c:{token}" in e.plan or f"v:{token}=" in e.plan for e in corpus.examples)
        assert counted[token] == held


# ---- projects that lack things

ODD = "Größe (cm), geschätzt"


def thin_projects() -> dict[str, tuple[ProjectSchema, str]]:
    order = (key("order_id"), category("status", STATUSES), amount("net_amount", "90"))
    rows = (
        "create table orders as select range + 1 as order_id, (list_value"
        f"{STATUSES})[1 + range % 3] as status, range % 90 as net_amount,"
        " date '2025-01-01' + (range % 300)::int as ordered_on from range(200)"
    )
    bare = (key("order_id"), category("status", ()), day("ordered_on", "2025-01-01", "2025-10-01"))
    names = [f"column_{i}" for i in range(280)]
    wide = (key("order_id"), *(amount(n, "90") for n in names))
    wide_rows = ", ".join(f"range % 90 as {n}" for n in names)
    foreign = (
        key("Schlüssel"),
        category("straße", ("Müllerstraße", "Łódź", "東京")),
        Column(ODD, "INTEGER", Kind.NUMBER, Role.MEASURE, minimum="1", maximum="90"),
    )
    return {
        "one table": (one_table(*order), rows),
        "no key": (one_table(*order[1:]), rows),
        "no values": (one_table(*bare, time="ordered_on"), rows),
        "281 columns": (
            one_table(*wide),
            f"create table orders as select range + 1 as order_id, {wide_rows} from range(100)",
        ),
        "non-ASCII names": (
            one_table(*foreign, name="aufträge_größe"),
            'create table "aufträge_größe" as select range + 1 as "Schlüssel",'
            " (list_value('Müllerstraße', 'Łódź', '東京'))[1 + range % 3] as \"straße\","
            f' range % 90 as "{ODD}" from range(100)',
        ),
    }


@pytest.mark.parametrize("name", sorted(thin_projects()))
def test_a_thin_project_still_yields_a_corpus(name: str, tmp_path: Path) -> None:
    schema, script = thin_projects()[name]
    with warehouse(tmp_path, schema, script) as sandbox:
        corpus = generate(schema, (), sandbox.execute, max_examples=60)
        answered = {e.sql for e in corpus.examples if e.sql}
        assert len(answered) >= 8
        assert all(isinstance(sandbox.execute(sql), Rows) for sql in answered)
    assert len(corpus.coverage.columns) == len(schema.tables[0].columns)
    bare = {each.thing for each in corpus.coverage.columns if not each.examples}
    assert bare <= {issue.where for issue in corpus.coverage.issues}  # each says why
    assert (name == "281 columns") == any(
        "max_examples" in i.message for i in corpus.coverage.issues
    )


def test_no_metrics(schema: ProjectSchema, sandbox: Sandbox) -> None:
    corpus = generate(replace(schema, metrics=()), (), sandbox.execute, max_examples=60)
    assert len(corpus.examples) == 60
    assert corpus.coverage.metrics == ()


def test_refusals_do_not_swamp_a_project_with_little_to_ask(tmp_path: Path) -> None:
    schema = one_table(key("order_id"))
    script = "create table orders as select range + 1 as order_id from range(10)"
    with warehouse(tmp_path, schema, script) as sandbox:
        corpus = generate(schema, (), sandbox.execute, max_examples=400)
    answered = sum(bool(e.sql) for e in corpus.examples)
    assert answered >= len(corpus.examples) - answered


@pytest.mark.parametrize("tables", [0, 1])
def test_a_schema_with_nothing_is_an_error(
    schema: ProjectSchema, sandbox: Sandbox, tables: int
) -> None:
    empty = tuple(replace(t, columns=(), primary_key=(), time_column="", relation="shop.main.gone")
                  for t in schema.tables[:tables])  # fmt: skip
    nothing = ProjectSchema("shop", "duckdb", empty, as_of=AS_OF)
    with pytest.raises(CorpusError, match="no training question"):
        generate(nothing, (), sandbox.execute, max_examples=50)


def test_a_warehouse_where_nothing_runs_is_an_error(schema: ProjectSchema) -> None:
    def broken(sql: str) -> Rows | QueryError:
        return QueryError("bind", "no such table")

    with pytest.raises(CorpusError):
        generate(schema, (), broken, max_examples=50)
