"""The verb ``report``: the log, the corpus and past validations, and what they say of a model."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.config import IN_WAREHOUSE
from dbt_t2s.console import Console
from dbt_t2s.corpus.examples import Coverage, Example
from dbt_t2s.delivering import kept_cases
from dbt_t2s.errors import ServeError, StoreError, T2SError, UsageError
from dbt_t2s.judge.share import Share
from dbt_t2s.learning import versions
from dbt_t2s.model.record import FILE as RECORD
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.text import name_words, stem
from dbt_t2s.reviewing import spread
from dbt_t2s.serve.cases import Case, Window, cases_of
from dbt_t2s.serve.drift import Reference, stems_of
from dbt_t2s.serve.log import MOST, QuestionLog
from dbt_t2s.serve.readings import read_all, read_one, shape_of
from dbt_t2s.serve.usage import Usage, to_json, usage
from dbt_t2s.serve.usage_lines import to_lines
from dbt_t2s.serve.usage_page import to_html
from dbt_t2s.workspace import Workspace

# The examples whose SQL is read as that of people's questions is.
TYPED = 500
_ASK = 'ask something: dbt-t2s ask "how many orders were there last month?"'


def window_of(since: str | None, until: str | None, model: str | None) -> Window:
    """What the command line says; UsageError where that is no window."""
    first, last = _day("--since", since), _day("--until", until)
    if first is not None and last is not None and first > last:
        raise UsageError(
            f"--since {first} is after --until {last}",
            where="dbt-t2s report",
            hint=f"dbt-t2s report --since {last} --until {first}",
        )
    return Window(first, last, (model or "").strip())


def _day(flag: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{flag} should be a day like 2025-06-30, not {text!r}",
            where="dbt-t2s report",
            hint="dbt-t2s report --since 2025-06-01 --until 2025-06-30",
        ) from error


def report(workspace: Workspace, window: Window) -> Usage:
    """What the log says of the model's use; ServeError where it says nothing."""
    cases, source = _cases(workspace)
    _check(cases, window, source)
    schema = _schema(workspace)
    held = [case for case in cases if window.holds(case)]
    dialect = schema.dialect if schema is not None else workspace.project.dialect
    return usage(
        cases,
        window,
        read_all(held, schema, dialect),
        _reference(workspace, schema),
        validated(workspace),
        project=workspace.project.name,
        source=source,
    )


def _cases(workspace: Workspace) -> tuple[tuple[Case, ...], str]:
    """All that is kept, and where; the project's own log where the warehouse cannot be asked."""
    if workspace.settings.log == IN_WAREHOUSE:
        workspace.console.info(f"asking {workspace.project.adapter} through dbt")
        try:
            place = f"t2s_log in the warehouse, target {workspace.project.target}"
            return kept_cases(workspace), place
        except T2SError as failure:
            workspace.console.warn(
                f"only what was asked on this machine: {failure.what}", failure.where, failure.hint
            )
    log = QuestionLog(workspace.project.root)
    if not log.folder.exists():
        raise ServeError(
            "no question was asked here yet", where=str(log.path), hint=_hint(workspace)
        )
    return cases_of(log.asked(MOST), log.said()), str(log.path.relative_to(workspace.project.root))


def _hint(workspace: Workspace) -> str:
    if workspace.settings.log:
        return _ASK
    return "the setting log: false keeps no questions; set it to true, then ask"


def _check(cases: tuple[Case, ...], window: Window, source: str) -> None:
    """ServeError where there is nothing to report on: it says what there is."""
    if not cases:
        raise ServeError("no question was kept yet", where=source, hint=_ASK)
    if any(map(window.holds, cases)):
        return
    models = tuple(dict.fromkeys(case.asked.model for case in cases))
    asked = f"{len(cases):,} questions from {cases[0].day} to {cases[-1].day}"
    known = ", ".join(models[-5:])
    raise ServeError(
        f"no question fits --since, --until and --model; the log has {asked}",
        where=source,
        hint=f"widen them; versions of the model in the log: {known}",
    )


def _schema(workspace: Workspace) -> ProjectSchema | None:
    """The project's schema, where there is one of this version: without it less is told."""
    try:
        return store.read_json(workspace.schema_path, ProjectSchema)
    except StoreError as failure:
        workspace.console.warn(
            f"tables and columns are not told apart: {failure.what}",
            failure.where,
            "dbt-t2s train",
        )
        return None


def _reference(workspace: Workspace, schema: ProjectSchema | None) -> Reference | str:
    """The corpus that the model learned from, or why there is none."""
    try:
        examples = store.read_rows(workspace.examples_path, Example)
        coverage = store.read_json(workspace.coverage_path, Coverage)
    except StoreError as failure:
        return f"{failure.what}: `dbt-t2s train` makes it"
    answered = tuple(each for each in examples if each.sql)
    dialect = schema.dialect if schema is not None else workspace.project.dialect
    sample = spread(answered, TYPED)
    read = [read_one(each.sql, schema, dialect) for each in sample]
    scale = len(answered) / max(len(sample), 1)
    types = Counter(each.type for each in read)
    used = Counter(thing for each in read for thing in each.things)
    # What is too rare for the sample has been counted; keys and rules only the sample tells.
    things = {f"t:{each.thing}": each.examples for each in coverage.tables}
    things |= {f"c:{each.thing}": each.examples for each in coverage.columns}
    things |= {f"m:{each.thing}": each.examples for each in coverage.metrics}
    things = {n: max(things.get(n, 0), round(used[n] * scale)) for n in {*things, *used}}
    return Reference(
        questions=tuple(stems_of(each.question) for each in examples),
        types=Counter({name: round(count * scale) for name, count in types.items()}),
        shapes=Counter(shape_of(each.sql) for each in answered),
        things=things,
        known=_known(schema),
    )


def _known(schema: ProjectSchema | None) -> frozenset[str]:
    """The stems of the project's own names and of values: what is new is other words."""
    if schema is None:
        return frozenset()
    names: list[str] = []
    for table in schema.tables:
        names += [table.name, table.label, *table.synonyms]
        for column in table.columns:
            names += [column.name, column.label, *column.synonyms, *column.values]
    for metric in schema.metrics:
        names += [metric.name, metric.label, *metric.synonyms]
    return frozenset(stem(word) for name in names for word in name_words(name))


def validated(workspace: Workspace) -> dict[str, tuple[tuple[str, Share], ...]]:
    """What the last validation of each version that is kept found, by the version.

    A version that was never judged is left out.
    """
    found = {
        each.id: tuple((f.suite, Share(f.right, f.answerable)) for f in each.figures)
        for each in versions.listed(workspace)
        if each.figures
    }
    record, path = workspace.model_dir / RECORD, workspace.report_path
    shares = _suites(path) if record.exists() and _is_newer(path, record) else ()
    return {**found, **({versions.id_of(workspace.model_dir): shares} if shares else {})}


def _is_newer(path: Path, record: Path) -> bool:
    """Whether a report was written after the model: else it is of the model before."""
    return path.exists() and path.stat().st_mtime >= record.stat().st_mtime


def _suites(path: Path) -> tuple[tuple[str, Share], ...]:
    """The right answers of each test set in a report.json; none of what is no such file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        suites = content["suites"].items()
        shares = [(name, suite["answerable"]) for name, suite in suites]
        return tuple((name, Share(int(a["correct"]), int(a["n"]))) for name, a in shares if a["n"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()  # of another version, or cut short: the report goes on without it


def tell(console: Console, found: Usage, *, json: bool, html: Path | None) -> None:
    """The report on the terminal or as JSON, and the page where one is wanted."""
    if html is not None:
        store.write_text(html, to_html(found))
    if json:
        console.json(to_json(found), indent=1)
        return
    for line in to_lines(found):
        console.print(line)
    if html is not None:
        console.info(f"the page is {html}")
