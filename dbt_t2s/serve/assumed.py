"""What an answer takes for granted that its question did not say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from dbt_t2s.project.schema import FiscalYear, Kind, ProjectSchema, Table
from dbt_t2s.query.dates import DateSpan, date_spans
from dbt_t2s.query.plan import Range
from dbt_t2s.query.said_included import CountedIn
from dbt_t2s.query.text import stems
from dbt_t2s.serve.evidence import Statement, day_of, days, read
from dbt_t2s.sql import exp

_TIMES = (Kind.DATE, Kind.TIMESTAMP)
# Another today: a phrase that then means the same says its days by itself.
_LATER = timedelta(days=431)


def assumed(question: str, sql: str, schema: ProjectSchema) -> tuple[str, ...]:
    """A sentence for each day, date column and value that the question leaves open."""
    statement = read(sql, schema)
    if statement is None:
        return ()
    today = date.fromisoformat(schema.as_of) if schema.as_of else date.today()
    return (
        *_days(question, statement, today, schema.fiscal_year),
        *_dated_by(question, statement),
        *_values(question, statement),
        *_counted_in(question, statement, schema),
    )


def _days(
    question: str, statement: Statement, today: date, fiscal: FiscalYear | None
) -> Iterator[str]:
    """What phrases such as "last month" and "FY24" mean, where the statement took them so."""
    found = {day for node in statement.tree.walk() if (day := day_of(node))}
    written = {day.isoformat() for day in found}
    # A fiscal year's days are those of a calendar that the question does not tell.
    fixed = {(s.start, s.range) for s in date_spans(question, today + _LATER)}
    for span in date_spans(question, today, fiscal):
        if (span.start, span.range) in fixed and not span.others:
            continue
        readings = (span.range, *span.others)
        taken = next((each for each in readings if _ends(each) <= written), None)
        if taken is not None:
            yield _span(span, taken, today)


def _counted_in(question: str, statement: Statement, schema: ProjectSchema) -> Iterator[str]:
    """What the question counts in though rules and metrics leave it out."""
    read_too = {table.name for table in statement.tables}
    named = {statement.name_of(node) for node in statement.tree.find_all(exp.Column)}
    for each in sorted(CountedIn(schema).said(question)):
        column = f"{each.table}.{each.column}"
        if each.table in read_too and column not in named:
            what = column if each.flag else f"{column} '{each.value}'"
            yield f"{what} counts here, as the question says; elsewhere it is left out."


def _span(span: DateSpan, taken: Range, today: date) -> str:
    # What has not begun yet is no reading that anybody would miss.
    begun = [each for each in (span.range, *span.others) if each.start <= today.isoformat()]
    others = [each for each in begun if each != taken]
    instead = f", and not {_said(others[0])}" if others else ""
    return f"“{span.text.strip()}” is {_said(taken)}{instead}, today being {today.isoformat()}."


def _said(range_: Range) -> str:
    return days(range_.start, range_.end).removeprefix("in ")


def _ends(range_: Range) -> set[str]:
    return {end for end in (range_.start, range_.end) if end}


def _dated_by(question: str, statement: Statement) -> Iterator[str]:
    """Which date dates a row, where its table has several and the question names none."""
    spoken = set(stems(question))
    told: set[str] = set()
    for node in statement.tree.find_all(exp.Column):
        table = statement.table_of(node)
        if table is None or not _is_chosen_time(table, node.name) or node.find_ancestor(exp.Join):
            continue
        name = f"{table.name}.{node.name}"
        own = {each for each in stems(node.name) if each not in ("date", "at", "on", "dai")}
        if name not in told and not own & spoken:
            told.add(name)
            yield f"Dates are those of {name}."


def _is_chosen_time(table: Table, name: str) -> bool:
    times = [column.name.lower() for column in table.columns if column.kind in _TIMES]
    return len(times) > 1 and name.lower() in times


def _values(question: str, statement: Statement) -> Iterator[str]:
    """Values that the question does not spell as the data does."""
    asked = " ".join(question.lower().split())
    for node in statement.tree.find_all(exp.EQ, exp.In):
        if not isinstance(node.this, exp.Column) or statement.table_of(node.this) is None:
            continue
        given = node.expressions if isinstance(node, exp.In) else [node.expression]
        for each in given:
            literal = isinstance(each, exp.Literal) and each.is_string
            if literal and each.name.lower() not in asked and not day_of(each):
                yield f"{statement.name_of(node.this)} '{each.name}' is meant."
