"""What people said is known by heart: by its own words, by words alike, and not beyond."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from dbt_t2s.errors import ModelError
from dbt_t2s.model.embedded import EmbeddedGenerator
from dbt_t2s.model.linking import Linker
from dbt_t2s.model.remembered import FILE, Entry, Memory, Recalled, carry, read, write
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import REFUSAL
from tests.model.test_embedded import dataset, model  # noqa: F401  (fixtures)

GERMAN = "how many customers do we have in Germany?"
PLAN = ("COUNT", "t:customers", "WHERE", "v:customers.country=Germany", "END")
SAID = (
    Entry(GERMAN, PLAN),
    Entry("what is the weather in Berlin tomorrow?", REFUSAL),
    Entry("customers with the longest names", (), "select customer_name from customers limit 3"),
    Entry("signups last month", (), "select 1"),
)


def as_likely(plans: Sequence[Sequence[str]]) -> list[float | None]:
    return [-1.0 for _ in plans]


def recalled(
    index: SchemaIndex, question: str, entries: Sequence[Entry] = SAID, own: float = -1.0
) -> Recalled | None:
    linker = Linker(index)
    (linked,) = linker.link([question])
    memory = Memory(entries, index.encoder, lambda text: linker.link([text])[0])
    return memory.recall(linked, own, -1.0, as_likely)


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        (GERMAN, PLAN),
        ("How many customers  do we have in GERMANY", PLAN),
        ("how many customers have we got in Germany?", PLAN),
        ("what will the weather be in Berlin tomorrow?", REFUSAL),
    ],
)
def test_a_question_much_like_one_that_was_spoken_of_has_its_plan(
    index: SchemaIndex, question: str, plan: tuple[str, ...]
) -> None:
    found = recalled(index, question)
    assert found is not None and found.plan == plan


@pytest.mark.parametrize(
    "question",
    [
        "how many customers do we have?",  # names no country for the plan
        "how many customers do we have in France?",  # names another one
        "revenue by month",
    ],
)
def test_other_questions_recall_nothing(index: SchemaIndex, question: str) -> None:
    assert recalled(index, question, SAID[:1]) is None


def test_its_own_words_name_another_time_later_on(index: SchemaIndex) -> None:
    question = "how many orders did we get last month?"
    before = Entry(question, ("m:order_count", "WHERE", "d:2019-01-01/2019-02-01", "END"))
    found = recalled(index, question, (before,))
    assert found is not None and found.plan[0] == "m:order_count"
    assert found.plan != before.plan


def test_what_the_network_finds_far_less_likely_is_doubted_but_not_by_its_own_words(
    index: SchemaIndex,
) -> None:
    assert recalled(index, "how many clients live in Germany?", own=20.0) is None
    exactly = recalled(index, GERMAN, own=20.0)
    assert exactly is not None and exactly.plan == PLAN


def test_sql_without_a_plan_answers_its_own_words_and_no_passing_time(
    index: SchemaIndex,
) -> None:
    found = recalled(index, "Customers with the longest names?")
    assert found is not None and found.sql == SAID[2].sql
    assert recalled(index, "signups last month") is None
    early = (Entry("orders before 2019", (), "select 1 where ordered_at < date '2019-01-01'"),)
    assert recalled(index, "orders before 2019", early) is not None
    assert recalled(index, "orders before 2020", early) is None


UNPLANNED = (
    Entry("which customers have the longest names?", (), "select 1"),
    Entry("which orders of 2019 are above the average amount of their country?", (), "2019-01-01"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("the customers with the longest names, which are they?", "select 1"),
        ("which orders of 2019 have an amount above the average of their country?", "2019-01-01"),
        ("which customers have the shortest names?", ""),
        ("which customers do not have the longest names?", ""),
        ("which customers of 2019 have the longest names?", ""),
        ("which orders of 2018 are above the average amount of their country?", ""),
        ("which orders of 2019 are below the average amount of their country?", ""),
        ("which orders of 2019 are above the average amount of their channel?", ""),
        ("which orders of 2019 in Germany are above the average amount of their country?", ""),
    ],
)  # fmt: skip
def test_sql_without_a_plan_answers_what_asks_for_the_same(
    index: SchemaIndex, question: str, sql: str
) -> None:
    found = recalled(index, question, UNPLANNED)
    assert (found.sql if found else "") == sql


def test_entries_come_back_are_carried_and_a_spoilt_file_says_so(tmp_path: Path) -> None:
    write(tmp_path / "dataset", SAID)
    assert read(tmp_path / "dataset") == SAID
    (tmp_path / "model").mkdir()
    carry(tmp_path / "dataset", tmp_path / "model", lambda t: t.replace("customers", "clients"))
    assert read(tmp_path / "model")[0].plan[1] == "t:clients"
    carry(tmp_path / "nowhere", tmp_path / "model")
    assert read(tmp_path / "model") == ()
    (tmp_path / FILE).write_text('[{"question": 1')
    with pytest.raises(ModelError, match="cannot be read"):
        read(tmp_path)


def test_a_model_answers_as_it_was_told(
    model: tuple[Path, object],  # noqa: F811
    schema: ProjectSchema,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model[0], folder)
    gone = Entry("what did it cost", ("COUNT", "t:gone", "END"))
    odd = Entry("revenue by country", ("COUNT", "t:products", "END"))
    write(folder, (*SAID, odd, gone))
    asked = [odd.question, SAID[1].question, SAID[2].question, gone.question]
    told, refused, by_sql, left = EmbeddedGenerator(folder, schema).generate(asked)
    assert told[0].plan == "COUNT t:products END" and told[0].confidence > 0.9
    assert all(each.confidence < told[0].confidence for each in told[1:])
    assert not refused[0].sql and "somebody said" in refused[0].refusal
    assert by_sql[0].sql == SAID[2].sql
    assert "gone" not in left[0].sql
