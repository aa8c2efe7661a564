"""Reviews: sheets go out and come back, and what they say outlives the next corpus."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import pytest

from dbt_t2s.corpus.examples import Corpus, Example
from dbt_t2s.corpus.review import (
    COLUMNS,
    SQL_ONLY,
    Reviewed,
    apply,
    merged,
    read_sheet,
    read_written,
    sheet,
    written,
)
from dbt_t2s.errors import CorpusError
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import Issue

Read = tuple[tuple[Reviewed, ...], tuple[Issue, ...]]


def filled_in(
    examples: tuple[Example, ...], edits: Mapping[str, Mapping[str, str]], *, delimiter: str = ","
) -> str:
    """The sheet as a spreadsheet saves it after some cells were edited."""
    rows = list(csv.DictReader(io.StringIO(sheet(examples, as_csv=True))))
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, **edits.get(row["id"], {})})
    return "\ufeff" + text.getvalue()


def answered(corpus: Corpus) -> tuple[Example, ...]:
    return tuple(e for e in corpus.examples if e.sql and "\n" in e.sql)[:4]


def read(
    text: str, examples: tuple[Example, ...], sandbox: Sandbox, *, as_csv: bool = True
) -> Read:
    known = {each.id: each for each in examples}
    return read_sheet(text, known, sandbox.execute, "review.csv", as_csv=as_csv)


@pytest.mark.parametrize("as_csv", [True, False])
def test_an_untouched_sheet_says_nothing(corpus: Corpus, sandbox: Sandbox, as_csv: bool) -> None:
    examples = answered(corpus)
    assert read(sheet(examples, as_csv=as_csv), examples, sandbox, as_csv=as_csv) == ((), ())


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_verdicts_and_edits_come_back_and_stay(
    corpus: Corpus, sandbox: Sandbox, delimiter: str
) -> None:
    wrong, reworded, rewritten, right = answered(corpus)
    edits = {
        wrong.id: {"verdict": "Wrong"},
        reworded.id: {"question": "An  edited question?"},
        rewritten.id: {"sql": "select count(*) from orders"},
        right.id: {"verdict": "right"},
    }
    text = filled_in(answered(corpus), edits, delimiter=delimiter)
    reviews, issues = read(text, answered(corpus), sandbox)
    assert len(reviews) == 4 and not issues
    assert read_written(written(reviews), "reviewed.jsonl") == reviews
    for again in (corpus.examples, corpus.examples[200:], ()):  # also where they are not drawn
        found = {e.question: e for e in apply(again, reviews)}
        assert wrong.question not in found and reworded.question not in found
        edited = found["An edited question?"]
        assert (edited.plan, edited.sql, edited.origin) == (reworded.plan, reworded.sql, "review")
        sql_only = found[rewritten.question]
        assert (sql_only.plan, sql_only.sql) == (SQL_ONLY, "select count(*) from orders")
        assert found[right.question] == right
    assert apply(apply(corpus.examples, reviews), reviews) == apply(corpus.examples, reviews)


def test_an_edit_can_be_edited_again(corpus: Corpus, sandbox: Sandbox) -> None:
    (first, *_) = answered(corpus)
    once, _ = read(filled_in((first,), {first.id: {"question": "Once?"}}), (first,), sandbox)
    (now,) = apply((first,), once)
    twice, _ = read(filled_in((now,), {now.id: {"question": "Twice?"}}), (now,), sandbox)
    both = merged(once, twice)
    assert [e.question for e in apply((first,), both)] == ["Twice?"]
    gone, _ = read(filled_in((now,), {now.id: {"verdict": "wrong"}}), (now,), sandbox)
    assert apply((first,), merged(once, gone)) == ()


def test_an_emptied_sql_becomes_a_refusal(corpus: Corpus, sandbox: Sandbox) -> None:
    (first, *_) = answered(corpus)
    reviews, _ = read(filled_in((first,), {first.id: {"sql": ""}}), (first,), sandbox)
    (refused,) = apply((first,), reviews)
    assert (refused.sql, json.loads(refused.plan)) == ("", ["REFUSE", "END"])


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"verdict": "maybe"}, "'maybe'"),
        ({"id": "nobody"}, "'nobody'"),
        ({"question": " "}, "empty"),
        ({"sql": "select nothing from orders"}, "nothing"),
        ({"sql": "drop table orders"}, "does not run"),
    ],
)
def test_a_bad_line_is_named_and_the_others_count(
    corpus: Corpus, sandbox: Sandbox, edit: dict[str, str], said: str
) -> None:
    one, two, *_ = answered(corpus)
    text = filled_in((one, two), {one.id: {"verdict": "right"}, two.id: edit})
    reviews, (issue,) = read(text, (one, two), sandbox)
    assert [each.id for each in reviews] == [one.id]
    start = (
        text.splitlines().index(next(x for x in text.splitlines() if x.startswith(two.id))) + 1
        if edit.get("id") is None
        else 2 + len(one.sql.splitlines())
    )
    assert issue.where == f"review.csv:{start}" and said in issue.message


def test_sheets_and_reviews_that_cannot_be_read(corpus: Corpus, sandbox: Sandbox) -> None:
    examples = answered(corpus)
    _, (issue,) = read("name,what\n1,2\n", examples, sandbox)
    assert issue.where == "review.csv:1" and "id, verdict, question, sql" in issue.message
    text = 'nonsense\n[]\n\n{"id": 7}\n'
    _, issues = read(text, examples, sandbox, as_csv=False)
    assert [i.where for i in issues] == ["review.csv:1", "review.csv:2", "review.csv:4"]
    with pytest.raises(CorpusError, match="cannot be read") as caught:
        read_written('\n{"id": 1}\n', "t2s/reviewed.jsonl")
    assert caught.value.where == "t2s/reviewed.jsonl:2"
