"""A person's review of the corpus: a sheet to fill in, and what it says of each example.

The sheet is CSV, which a spreadsheet opens, or JSONL. Verdicts and edits are kept in the project
(``t2s/reviewed.jsonl``), by the example's id, and hold for every corpus that is made afterwards.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import codec
from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.errors import CorpusError
from dbt_t2s.project.schema import Issue, Level
from dbt_t2s.query.linear import REFUSAL

COLUMNS = ("id", "verdict", "question", "sql", "type", "phase", "template", "origin")
VERDICTS = ("", "right", "wrong")
# The plan of an example whose SQL a person wrote: no plan says it, and the embedded model passes.
SQL_ONLY = '["SQL"]'


@dataclass(frozen=True)
class Reviewed:
    """What a person made of the example ``id``: left out, or as ``question`` and ``sql`` say.

    The rest is the example as it was, so that it lives on where it is not drawn again.
    """

    id: str
    verdict: str
    question: str
    sql: str
    was: Example

    @property
    def is_edit(self) -> bool:
        return (self.question, self.sql) != (self.was.question, self.was.sql)


def sheet(examples: Iterable[Example], *, as_csv: bool) -> str:
    """The examples for a person to judge: a row each, with an empty verdict."""
    rows = [{name: getattr(each, name, "") for name in COLUMNS} for each in examples]
    if not as_csv:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_sheet(
    text: str, known: Mapping[str, Example], execute: Execute, file: str, *, as_csv: bool
) -> tuple[tuple[Reviewed, ...], tuple[Issue, ...]]:
    """What a filled-in sheet says of the examples ``known`` by id; an issue for each bad line."""
    found: list[Reviewed] = []
    issues: list[Issue] = []
    for line, row in _csv_rows(text) if as_csv else _json_rows(text):
        where = f"{file}:{line}"
        read = _read(row, known, execute) if isinstance(row, dict) else row
        if isinstance(read, str):
            issues.append(Issue(Level.ERROR, where, read, "correct the line and give it again"))
        elif read is not None:
            found.append(read)
    return tuple(found), tuple(issues)


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, str] | str]]:
    text = text.removeprefix("\ufeff")  # spreadsheets write one
    first = text.partition("\n")[0]
    # Where the comma is the decimal mark, spreadsheets separate by semicolons.
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    missing = [name for name in COLUMNS[:4] if name not in (reader.fieldnames or ())]
    if missing:
        yield 1, f"there is no column {', '.join(missing)}"
        return
    before = 1
    for row in reader:
        yield before + 1, {k: v or "" for k, v in row.items() if k is not None}
        before = reader.line_num


def _json_rows(text: str) -> Iterator[tuple[int, dict[str, str] | str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            yield number, f"no JSON: {error.msg}"
            continue
        if not isinstance(row, dict):
            yield number, "not a JSON object"
        else:
            yield number, {str(k): "" if v is None else str(v) for k, v in row.items()}


def _read(
    row: Mapping[str, str], known: Mapping[str, Example], execute: Execute
) -> Reviewed | str | None:
    """A verdict or an edit; None where the row says nothing, text where it cannot be used."""
    was = known.get(row.get("id", "").strip())
    if was is None:
        return f"no example has the id {row.get('id', '')!r}"
    verdict = row.get("verdict", "").strip().lower()
    if verdict not in VERDICTS:
        return f"the verdict is {verdict!r}, not right, wrong or empty"
    question = " ".join(row.get("question", "").split())
    sql = row.get("sql", "").replace("\r\n", "\n").strip()
    edited = question != was.question or sql != was.sql
    if not verdict and not edited:
        return None
    if not question:
        return "the question is empty; the verdict `wrong` leaves an example out"
    if verdict != "wrong" and sql and sql != was.sql:
        result = execute(sql)
        if isinstance(result, QueryError):
            return f"the SQL does not run: {' '.join(result.message.split())[:200]}"
    return Reviewed(was.id, verdict, question, sql, was)


def merged(old: Sequence[Reviewed], new: Sequence[Reviewed]) -> tuple[Reviewed, ...]:
    """All reviews, the newer of each example; what an older edit was made from stays known."""
    found = {each.id: each for each in old}
    found.update((each.id, each) for each in new)
    return tuple(found[key] for key in sorted(found))


def apply(examples: Sequence[Example], reviews: Sequence[Reviewed]) -> tuple[Example, ...]:
    """The examples as reviewed: what is wrong left out, what was edited in its new form.

    An edited example stays where it was drawn, and comes last where it was not drawn again.
    """
    by_id = {each.id: each for each in reviews}
    kept: dict[str, Example] = {}
    for example in (*examples, *(each.was for each in reviews)):
        found = _through(example, by_id)
        if found is not None:
            kept.setdefault(found.id, found)
    return tuple(kept.values())


def _through(example: Example, reviews: Mapping[str, Reviewed]) -> Example | None:
    """The example after its review, and after that of its edited form, and so on."""
    seen: set[str] = set()
    now: Example | None = example
    while now is not None and now.id in reviews and now.id not in seen:
        seen.add(now.id)
        now = _as_reviewed(reviews[now.id])
    return now


def _as_reviewed(review: Reviewed) -> Example | None:
    was = review.was
    if review.verdict == "wrong":
        return None
    if not review.is_edit:
        return was
    refused = json.dumps(REFUSAL)
    plan = was.plan if review.sql == was.sql else SQL_ONLY if review.sql else refused
    return replace(
        was,
        id=hashlib.sha256(f"{review.question}\n{review.sql}".encode()).hexdigest()[:16],
        question=review.question,
        sql=review.sql,
        plan=plan,
        skeleton=was.skeleton if plan == was.plan else plan,
        origin="review",
    )


def written(reviews: Sequence[Reviewed]) -> str:
    """The reviews as JSONL, to be kept in the project."""
    return "".join(
        json.dumps(codec.encode(each, Reviewed), ensure_ascii=False) + "\n" for each in reviews
    )


def read_written(text: str, file: str) -> tuple[Reviewed, ...]:
    """The reviews that ``written`` wrote; CorpusError names the line that cannot be read."""
    found: list[Reviewed] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                found.append(codec.decode(json.loads(line), Reviewed))
            except (json.JSONDecodeError, codec.CodecError) as error:
                raise CorpusError(
                    f"a review cannot be read: {error}",
                    where=f"{file}:{number}",
                    hint="mend or delete the line, then run the same command again",
                ) from error
    return tuple(found)
