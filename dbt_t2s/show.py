"""How results look to a person."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import indent

from dbt_t2s.check import forms, sarif
from dbt_t2s.check.findings import Findings
from dbt_t2s.codec import encode
from dbt_t2s.console import Console
from dbt_t2s.corpus.examples import Corpus, Counted, Example
from dbt_t2s.corpus.patterns import Pattern, templates
from dbt_t2s.errors import T2SError
from dbt_t2s.judge.lines import to_lines
from dbt_t2s.judge.report import Report
from dbt_t2s.project.catalogue import narrowed, pages
from dbt_t2s.project.catalogue_forms import as_markdown, as_text
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.reviewing import spread
from dbt_t2s.serve.ask import Answer
from dbt_t2s.serve.evidence import Basis
from dbt_t2s.sql import format_sql


def schema_line(console: Console, schema: ProjectSchema) -> None:
    """One line on what was distilled."""
    columns = sum(len(table.columns) for table in schema.tables)
    console.print(
        f"{schema.project}: {len(schema.tables)} tables, {columns} columns,"
        f" {len(schema.joins)} joins, {len(schema.metrics)} metrics, {len(schema.rules)} rules,"
        f" {len(schema.saved_queries)} saved queries, {len(schema.issues)} issues"
    )


def catalogue(schema: ProjectSchema, tables: Sequence[str], form: str) -> str:
    """The data catalogue, or some tables of it, as ``text``, ``markdown`` or ``json``.

    UsageError for a table that there is none of.
    """
    if form == "json":
        return json.dumps(encode(narrowed(schema, tables)), ensure_ascii=False, indent=2)
    found = pages(schema, tables)
    return as_markdown(found) if form == "markdown" else as_text(found)


def patterns(console: Console, found: Sequence[Pattern]) -> None:
    """What the project's queries do, the most used first."""
    console.print(f"{len(found):,} patterns in {sum(each.support for each in found):,} queries")
    rows = [(each.support, each.name, " and ".join(each.conditions)) for each in templates(found)]
    if rows:
        console.table(("queries", "template", "conditions"), rows, limit=15)


def corpus(console: Console, found: Corpus, examples: int) -> None:
    """How many examples there are of what, and some of them."""
    for number, example in enumerate(spread(found.examples, examples), 1):
        _example(console, number, example)
    splits = Counter(example.split for example in found.examples)
    shown = ", ".join(f"{count:,} {name}" for name, count in sorted(splits.items()))
    console.print(f"{len(found.examples):,} examples: {shown}")
    types = ((counted.thing, counted.examples, counted.wordings) for counted in _types(found))
    console.table(("type", "examples", "wordings"), list(types), limit=50)
    console.print(
        f"{found.coverage.complete:.1%} of what can be asked about is asked about enough;"
        " all counts: coverage.json"
    )


def _example(console: Console, number: int, example: Example) -> None:
    """One example for a person to judge: question, SQL, and where it is from."""
    traits = [example.type, f"phase {example.phase}", example.template, example.split]
    traits += [f"rule {rule}" for rule in example.rules]
    console.print(f"{number}. {example.question}")
    console.print(indent(f"{', '.join(traits)} ({example.origin})", "   "))
    console.sql(indent(example.sql or "(no answer in this data)", "     "))
    console.print()


def findings(
    console: Console, found: Findings, *, json: bool, github: bool, place: str = ""
) -> None:
    """What a check found: for a person, as JSON, or as annotations.

    ``place`` is the project's folder in its repository, from which annotations name files.
    """
    if json:
        console.json(forms.to_json(found), indent=1)
        return
    annotated = (*sarif.to_github(found, place), forms.headline(found))
    for line in annotated if github else forms.to_lines(found):
        console.print(line)


def report(console: Console, found: Report) -> None:
    """The accuracy of each test set."""
    for line in to_lines(found):
        console.print(line)


def one_answer(console: Console, answer: Answer, dialect: str, *, basis: bool = True) -> None:
    """SQL, rows, latency and what that rests on; or why there is no answer."""
    if answer.read_as and answer.status == "ok":
        console.print(f"read as: {answer.read_as}")
    if answer.sql:
        console.sql(format_sql(answer.sql, dialect))
        console.print()
    if answer.status != "ok":
        lead = "" if answer.status == "error" else f"{answer.status}: "
        usual = "ask in other words; `dbt-t2s distill --format text` shows what can be asked"
        near = "".join(f"\n    {question}" for question in answer.nearest)
        console.error(
            T2SError(
                f"{lead}{answer.reason}",
                where=f"the question {answer.question[:80]!r}",
                hint=f"ask in other words; these can be answered:{near}" if near else usual,
            )
        )
        return
    console.table(answer.columns, answer.rows)
    noun = "row" if len(answer.rows) == 1 else "rows"
    note = f"; {answer.reason}" if answer.reason else ""
    console.print(
        f"{len(answer.rows):,} {noun} in {answer.latency_ms:.0f} ms,"
        f" confidence {answer.confidence:.2f}{note}"
    )
    if basis and not console.quiet:
        for line in basis_lines(answer):
            console.print(line)


def basis_lines(answer: Answer) -> Iterator[str]:
    """What the answer rests on, what it takes for granted and how old its data are."""
    yield from (_basis_line(each) for each in answer.rests_on)
    yield from (f"assumed: {each}" for each in answer.assumed)
    if answer.built:
        yield f"data last built {answer.built[:16].replace('T', ' ')} UTC"


def _basis_line(basis: Basis) -> str:
    place = f" ({basis.place})" if basis.place else ""
    name = f" {basis.name}" if basis.kind in ("metric", "rule", "table") else ""
    return f"{basis.kind}{name}: {basis.sentence}{place}"


def _types(found: Corpus) -> list[Counted]:
    return sorted(found.coverage.by_type, key=lambda counted: -counted.examples)
