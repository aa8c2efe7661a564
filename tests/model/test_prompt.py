"""The prompt: which part of a schema a question sees, and how an answer is read back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.model.prompt import (
    REFUSE,
    UNKNOWN_MISSING,
    Answer,
    Said,
    answer_text,
    build_prompt,
    parse_answer,
    plain_prompt,
)
from dbt_t2s.model.schema_reader import SchemaReader, schema_slice
from dbt_t2s.project.schema import (
    Column,
    CompiledMetric,
    Join,
    Kind,
    Measure,
    Metric,
    MetricFilter,
    MetricInput,
    ProjectSchema,
    Role,
    Rule,
    Table,
)


def _column(name: str, role: Role = Role.MEASURE, **more: object) -> Column:
    kind = Kind.TEXT if role in (Role.CATEGORY, Role.TEXT) else Kind.NUMBER
    return replace(Column(name, "VARCHAR", kind, role), **more)  # type: ignore[arg-type]


def _table(name: str, *columns: Column, **more: object) -> Table:
    made = Table(name, f"main.{name}", f"model.vet.{name}", f"models/{name}.sql", columns)
    return replace(made, **more)  # type: ignore[arg-type]


VISITS = _table(
    "visits",
    _column("visit_id", Role.KEY),
    _column("pet_id", Role.FOREIGN_KEY),
    _column("fee", description="What the owner pays, in euros. Taxes are in."),
    _column("state", Role.CATEGORY, values=("booked", "done"), values_complete=True),
    primary_key=("visit_id",),
    entity="visit",
)
PETS = _table(
    "pets",
    _column("pet_id", Role.KEY),
    _column("owner_id", Role.FOREIGN_KEY),
    _column("species", Role.CATEGORY, values=("cat", "dog"), synonyms=("animal",)),
    primary_key=("pet_id",),
)
OWNERS = _table(
    "owners",
    _column("owner_id", Role.KEY),
    _column("town", Role.CATEGORY),
    _column("e mail", Role.TEXT, personal=True, values=("ada@example.org",)),
    description="People who bring pets.\nOne row each.",
)
DRUGS = _table("drugs", _column("drug_id", Role.KEY), _column("dose"))
STAFF = _table("staff", _column("staff_id", Role.KEY), _column("salary"))
INCOME = Metric(
    "income",
    "simple",
    description="Fees of visits that took place.",
    synonyms=("takings",),
    measure=Measure("fees", "visits", "sum", "fee", "visited_on"),
    filters=(MetricFilter("visits.state = 'done'", ("visits",)),),
    tables=("visits",),
)
MEAN_FEE = Metric(
    "mean_fee",
    "ratio",
    expression="income / visit_count",
    inputs=(MetricInput("income", "income"), MetricInput("visit_count", "visit_count")),
    tables=("visits",),
)
RUNNING = Metric(
    "running_doses",
    "cumulative",
    compiled=(CompiledMetric("", "select\n  sum(dose)\nfrom main.drugs", "running_doses"),),
    tables=("drugs",),
)
VET = ProjectSchema(
    project="vet",
    dialect="duckdb",
    tables=(VISITS, PETS, OWNERS, DRUGS, STAFF),
    joins=(
        Join("visits", ("pet_id",), "pets", ("pet_id",)),
        Join("pets", ("owner_id",), "owners", ("owner_id",)),
    ),
    metrics=(INCOME, MEAN_FEE, RUNNING),
    rules=(Rule("finished", "A finished visit is done.", "visits", "state = 'done'"),),
    as_of="2024-06-30",
)


def _names(lines: tuple[str, ...]) -> list[str]:
    return [
        line.split()[1].removeprefix("main.").rstrip(":")
        for line in lines
        if line.startswith("table ")
    ]


def test_a_small_schema_is_shown_whole_and_in_its_own_order() -> None:
    lines = schema_slice(VET, "anything at all")
    assert lines[0] == "dialect duckdb, today is 2024-06-30"
    assert _names(lines) == ["visits", "pets", "owners", "drugs", "staff"]
    assert lines[1] == (
        "table main.visits: one row per visit (visit_id varchar key, pet_id varchar, "
        "fee varchar -- What the owner pays, in euros, state varchar 'booked' 'done')"
    )
    assert "join main.visits.pet_id = main.pets.pet_id" in lines


def test_a_short_budget_keeps_what_the_question_names() -> None:
    assert "staff" in _names(schema_slice(VET, "salaries of the staff", 150))
    assert "drugs" in _names(schema_slice(VET, "the highest drug dose", 150))
    for question in ("how many cats", "animals"):  # a value names its column, and so a synonym
        lines = schema_slice(VET, question, 160)
        assert set(_names(lines)) <= {"pets", "owners"}, "no table but its own and its parent"
        assert any("species" in line for line in lines)


def test_tables_between_two_that_are_named_come_along() -> None:
    lines = schema_slice(VET, "fees of visits by owners' town", 560)
    assert _names(lines) == ["visits", "pets", "owners"]
    assert [line for line in lines if line.startswith("join ")] == [
        "join main.visits.pet_id = main.pets.pet_id",
        "join main.pets.owner_id = main.owners.owner_id",
    ]


def test_metrics_and_rules_that_match_are_told() -> None:
    lines = schema_slice(VET, "takings of finished visits")
    assert (
        "metric income = sum(fee) over visits by visited_on where visits.state = 'done' "
        "-- Fees of visits that took place"
    ) in lines
    assert "rule finished: visits where state = 'done' -- A finished visit is done" in lines
    assert not [line for line in lines if "running_doses" in line]
    ratio = schema_slice(VET, "the mean fee")
    assert (
        "metric mean_fee = income / visit_count with income is income, visit_count is visit_count"
        in ratio
    )
    cumulative = schema_slice(VET, "running doses")
    assert "metric running_doses = select sum(dose) from main.drugs" in cumulative


def test_a_metric_brings_its_table() -> None:
    assert "visits" in _names(schema_slice(VET, "takings", 500))


def test_personal_values_are_never_shown_and_odd_names_are_quoted() -> None:
    text = "\n".join(schema_slice(VET, "e mail ada@example.org of owners"))
    assert "ada@example.org" not in text
    assert '"e mail" varchar' in text
    backticks = "\n".join(schema_slice(replace(VET, dialect="bigquery"), "owners"))
    assert "`e mail` varchar" in backticks


def test_a_wide_table_keeps_the_columns_that_matter() -> None:
    many = tuple(_column(f"reading_{i:03}") for i in range(280))
    wide = _table("sensors", _column("sensor_id", Role.KEY), *many, _column("humidity"))
    schema = ProjectSchema("lab", "duckdb", (wide, STAFF))
    lines = schema_slice(schema, "average humidity", 600)
    sensors = next(line for line in lines if "main.sensors" in line)
    assert "humidity" in sensors and "sensor_id" in sensors
    assert "columns more)" in sensors
    assert sum(len(line) + 1 for line in lines) <= 601


@given(st.text(max_size=80), st.integers(min_value=250, max_value=1500))
def test_a_slice_is_within_its_budget_and_never_empty(question: str, budget: int) -> None:
    lines = schema_slice(VET, question, budget)
    assert _names(lines)
    assert sum(len(line) + 1 for line in lines) <= budget + 1
    assert lines == SchemaReader(VET).slice(question, budget)
    assert all("\n" not in line for line in lines)


def test_a_schema_without_tables_gives_its_header_alone() -> None:
    assert schema_slice(ProjectSchema("bare", "duckdb", ()), "what") == ("dialect duckdb",)


def test_the_prompt_ends_with_the_question_on_one_line() -> None:
    messages = build_prompt("how many\n  visits?", ("dialect duckdb",))
    assert [message["role"] for message in messages] == ["user"]
    assert messages[0]["content"].endswith("\n\ndialect duckdb\n\nQuestion: how many visits?")
    assert plain_prompt(messages).endswith("Question: how many visits?\n\nAnswer:\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1", Answer("select 1")),
        (" select 1 ;\n", Answer("select 1")),
        ("```sql\nselect 1;\n```", Answer("select 1")),
        ("Here it is:\n```\nselect 1\n```\nEnjoy.", Answer("select 1")),
        ("```sql\nselect 1", Answer("select 1")),
        ("REFUSE: suppliers", Answer("", "suppliers")),
        ("REFUSE:", Answer("", UNKNOWN_MISSING)),
        ("  ", Answer("", "the model gave no answer")),
    ],
)
def test_answers_are_read_as_people_write_them(text: str, expected: Answer) -> None:
    assert parse_answer(text) == expected


@given(st.text(max_size=60).filter(lambda sql: "```" not in sql))
def test_what_is_taught_reads_back(text: str) -> None:
    sql = f"select '{text}'"
    assert parse_answer(answer_text(sql)) == Answer(sql)
    refusal = parse_answer(answer_text("", text))
    assert refusal.sql == "" and refusal.refusal
    assert answer_text("", "suppliers") == f"{REFUSE} suppliers"


def test_a_conversation_is_told_in_turns() -> None:
    before = (Said("how many\n visits?", "select count(*) from visits "),)
    chat = build_prompt("and by day?", ("dialect duckdb",), before=before)
    assert [turn["role"] for turn in chat] == ["user", "assistant", "user"]
    assert chat[0] == build_prompt("how many visits?", ("dialect duckdb",))[0]
    assert chat[1]["content"] == "select count(*) from visits"
    assert chat[2]["content"] == "Question: and by day?"
