"""The schema as pages for a person: what can be asked, what it rests on, and what is missing.

Pages are plain values; ``as_text`` and ``as_markdown`` say the same things in two hands.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import sql
from dbt_t2s.errors import UsageError
from dbt_t2s.project import advice, cited
from dbt_t2s.project.schema import (
    Cardinality,
    Column,
    Exposure,
    Join,
    Metric,
    ProjectSchema,
    Rule,
    RuleKind,
    SavedQuery,
    Table,
)

_SHOWN_VALUES = 6


@dataclass(frozen=True)
class Grid:
    """Rows under ``headers``; the last column is the one that may be long.

    ``detail`` are headers of columns for which plain text has no room.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    detail: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A part of the catalogue: its title, what is said in prose, facts by name, then grids."""

    title: str
    prose: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    grids: tuple[tuple[str, Grid], ...] = ()


def narrowed(schema: ProjectSchema, names: Sequence[str]) -> ProjectSchema:
    """The schema with the tables called ``names`` alone, and what is about them; all for none.

    UsageError names near ones for a table that there is none of.
    """
    if not names:
        return schema
    known = {table.name.lower(): table.name for table in schema.tables}
    for name in names:
        if name.lower() not in known:
            near = difflib.get_close_matches(name.lower(), sorted(known), n=3, cutoff=0.5)
            shown = ", ".join(known[each] for each in near) or ", ".join(sorted(known.values())[:8])
            raise UsageError(
                f"there is no table {name}",
                where="dbt-t2s distill",
                hint=f"{'did you mean' if near else 'use one of'}: {shown}",
            )
    kept = {known[name.lower()] for name in names}
    return replace(
        schema,
        tables=tuple(table for table in schema.tables if table.name in kept),
        joins=tuple(each for each in schema.joins if kept & {each.table, each.to_table}),
        metrics=tuple(each for each in schema.metrics if kept & set(each.tables)),
        rules=tuple(each for each in schema.rules if each.table in kept),
        saved_queries=(),
        exposures=tuple(each for each in schema.exposures if kept & set(each.tables)),
        issues=(),
        statements=(),
    )


def pages(schema: ProjectSchema, names: Sequence[str] = ()) -> tuple[Page, ...]:
    """The pages of the whole schema, or only those of some of its tables."""
    some = narrowed(schema, names)
    tables = tuple(_table_page(table, some) for table in some.tables)
    if names:
        return tables
    found = [_contents(schema), *tables, *_metric_pages(schema.metrics)]
    if schema.saved_queries:
        rows = tuple(_saved_row(each) for each in schema.saved_queries)
        grid = Grid(("saved query", "metrics", "grouped by", "description"), rows)
        found.append(Page("Saved queries", grids=(("", grid),)))
    if schema.exposures:
        rows = tuple(_exposure_row(each) for each in schema.exposures)
        headers = ("exposure", "type", "owner", "contact", "reads", "description")
        grid = Grid(headers, rows, detail=("contact",))
        found.append(Page("Exposures", grids=(("", grid),)))
    missing = advice.advise(schema)
    if missing:
        rows = tuple((each.what, each.next, each.where) for each in missing)
        grid = Grid(("missing", "next", "where"), rows)
        found.append(Page("What would help most", grids=(("", grid),)))
    if schema.issues:
        rows = tuple((i.level.value, i.where, _hinted(i.message, i.hint)) for i in schema.issues)
        found.append(Page("Issues", grids=(("", Grid(("level", "where", "message"), rows)),)))
    return tuple(found)


def _contents(schema: ProjectSchema) -> Page:
    facts = [
        ("dialect", schema.dialect),
        ("dbt", schema.dbt_version),
        ("today", schema.as_of),
        ("calendar", schema.fiscal_year.sentence if schema.fiscal_year else ""),
        (
            "holds",
            f"{len(schema.tables)} tables, {sum(len(t.columns) for t in schema.tables)} columns, "
            f"{len(schema.joins)} joins, {len(schema.metrics)} metrics, {len(schema.rules)} rules",
        ),
    ]
    rows = tuple(
        (table.name, _rows(table), str(len(table.columns)), _first_sentence(table.description))
        for table in schema.tables
    )
    grid = Grid(("table", "rows", "columns", "description"), rows)
    return Page(schema.project, facts=_filled(facts), grids=(("", grid),))


def _table_page(table: Table, schema: ProjectSchema) -> Page:
    key = f" ({', '.join(table.primary_key)})" if table.primary_key else ""
    facts = [
        ("grain", (f"one row per {table.entity}" if table.entity else "unknown") + key),
        ("rows", _rows(table)),
        ("relation", table.relation),
        ("file", table.path),
        ("also called", ", ".join(_also(table.label, table.synonyms))),
        ("dated by", table.time_column),
        ("group", f"{table.group}, owned by {table.owner}" if table.owner else table.group),
        (
            "used by",
            ", ".join(_use(each) for each in schema.exposures if table.name in each.tables),
        ),
    ]
    columns = tuple(_column_row(column, table) for column in table.columns)
    grids = [("Columns", Grid(("column", "what", "type", "holds", "description"), columns))]
    joins = tuple(_join_row(each, table, schema.project) for each in schema.joins
                  if table.name in (each.table, each.to_table))  # fmt: skip
    metrics = tuple(
        (each.name, each.label, _meaning(each, table.name, schema.dialect))
        for each in schema.metrics
        if table.name in each.tables
    )
    values, others = _split(table, schema)
    rules = tuple(_rule_row(each, schema.project) for each in others)
    named = ("rule", "kind", "support", "evidence", "predicate", "means")
    made = tuple(_made_rows(table, schema.project))
    grids += [
        ("Values", Grid(("column", "evidence", "says"), values)),
        ("Joins", Grid(("to", "rows", "on", "evidence"), joins)),
        ("Metrics", Grid(("metric", "label", "meaning"), metrics, detail=("label",))),
        ("Rules", Grid(named, rules, detail=("predicate",))),
        ("Made from", Grid(("column", "sources", "expression"), made)),
    ]
    filled = tuple((name, grid) for name, grid in grids if grid.rows)
    return Page(table.name, table.description, _filled(facts), filled)


def _made_rows(table: Table, project: str) -> Iterator[tuple[str, str, str]]:
    """What the columns are made from; those passed on under their own name in a row a node."""
    passed: dict[str, list[str]] = {}
    rows: list[tuple[str, str, str]] = []
    for column in table.columns:
        node, _, name = column.sources[0].rpartition(".") if column.sources else ("", "", "")
        alone = len(column.sources) == 1 and not column.expression
        if alone and name.lower() == column.name.lower():
            passed.setdefault(node, []).append(column.name)
        elif column.sources or column.expression:
            sources = ", ".join(cited.cited(each, project) for each in column.sources)
            rows.append((column.name, sources, cited.shortened(column.expression, project)))
    for node, names in passed.items():
        count = f"{len(names)} columns" if len(names) > 1 else names[0]
        yield (count, cited.cited(node, project), "as they are: " + ", ".join(names))
    yield from rows


def _split(
    table: Table, schema: ProjectSchema
) -> tuple[tuple[tuple[str, str, str], ...], tuple[Rule, ...]]:
    """Rows of what is said of values, one a column; and the other rules."""
    said: dict[str, list[Rule]] = {}
    others: list[Rule] = []
    for rule in (each for each in schema.rules if each.table == table.name):
        column = _valued(rule, table, schema.dialect)
        if column:
            said.setdefault(column, []).append(rule)
        else:
            others.append(rule)
    rows = []
    for column, rules in said.items():
        before = f"In {table.name}, {column} "
        evidence = tuple(dict.fromkeys(each for rule in rules for each in rule.evidence))
        says = " ".join(rule.sentence.removeprefix(before) for rule in rules)
        rows.append((column, cited.place(evidence, schema.project), says))
    return tuple(rows), tuple(others)


def _valued(rule: Rule, table: Table, dialect: str) -> str:
    """The column whose values the rule is about; empty for other rules."""
    if rule.kind is not RuleKind.VALUE:
        return ""
    for column in table.columns:
        name = sql.quote(column.name, dialect)
        if rule.predicate.startswith((f"{name} = ", f"{name} IN (")):
            return column.name
    return ""


def _column_row(column: Column, table: Table) -> tuple[str, ...]:
    what = column.role.value.replace("_", " ")
    marks = [what, *(["unique"] if column.unique and column.role.value != "key" else [])]
    marks += ["personal"] if column.personal else []
    also = _also(column.label, column.synonyms)
    said = column.description + (f" (also: {', '.join(also)})" if also else "")
    kind = column.type or "unknown"
    kind += f" {column.unit}" if column.unit else ""
    return (column.name, ", ".join(marks), kind, "; ".join(_held(column)), said.strip())


def _held(column: Column) -> Iterator[str]:
    """What the column holds: format, values or range, how many different, how much is missing."""
    if column.format and not column.values:
        yield column.format
    if column.values:
        shown = ", ".join(column.values[:_SHOWN_VALUES])
        more = len(column.values) > _SHOWN_VALUES or not column.values_complete
        yield shown + (", …" if more else "")
    elif column.minimum is not None:
        yield f"{_short(column.minimum)} … {_short(column.maximum or '')}"
    if column.values and column.distinct and column.distinct > _SHOWN_VALUES:
        yield f"{column.distinct:,} different"
    if column.null_share:
        yield f"{max(column.null_share, 0.001):.1%} NULL"


def _short(value: str) -> str:
    """A range's end without a time that is midnight or fractions of a second."""
    return value.removesuffix(" 00:00:00").partition(".")[0] if ":" in value else value


def _join_row(join: Join, table: Table, project: str) -> tuple[str, ...]:
    outgoing = join.table == table.name
    here, there = (join.columns, join.to_columns) if outgoing else (join.to_columns, join.columns)
    other = join.to_table if outgoing else join.table
    one = join.cardinality is Cardinality.ONE_TO_ONE
    many = "one to one" if one else "many to one" if outgoing else "one to many"
    pairs = " and ".join(f"{a} = {other}.{b}" for a, b in zip(here, there, strict=True))
    asked = cited.queries(join.evidence)
    proof = (each for each in join.evidence if each not in asked)
    said = [cited.cited(each, project, join.table) for each in proof]
    named = ", ".join(cited.cited(each, project) for each in asked)
    counted = f"{join.support} {'query' if join.support == 1 else 'queries'}"
    said += [f"{counted} ({named})" if named else counted] if join.support else asked
    said += [] if join.proven else ["not proven"]
    said += [f"{join.orphan_share:.1%} point at nothing"] if join.orphan_share else []
    to = f"{other} ({join.meaning})" if join.meaning else other
    return (to, many, pairs, ", ".join(said))


def _rule_row(rule: Rule, project: str) -> tuple[str, ...]:
    kind = rule.kind.value + (", always" if rule.always else "")
    support = str(rule.support) if rule.support else ""
    evidence = cited.place(rule.evidence, project)
    return (rule.name, kind, support, evidence, rule.predicate, rule.sentence)


def _metric_pages(metrics: Sequence[Metric]) -> Iterator[Page]:
    if metrics:
        rows = tuple(
            (each.name, each.type, each.label, _meaning(each), each.description) for each in metrics
        )
        headers = ("metric", "type", "label", "meaning", "description")
        grid = Grid(headers, rows, detail=("meaning",))
        yield Page("Metrics", grids=(("", grid),))


def _meaning(metric: Metric, table: str = "", dialect: str = "") -> str:
    """A metric's definition in one line; on the page of ``table`` without saying that name."""
    if metric.measure is not None:
        measure = metric.measure
        where = " and ".join(_bare(each.predicate, table, dialect) for each in metric.filters)
        meaning = f"{measure.aggregation}({measure.expression})"
        meaning += f" of {measure.table}" if measure.table != table else ""
        return f"{meaning} where {where}" if where else meaning
    if metric.inputs:
        return metric.expression
    return f"MetricFlow's SQL in {len(metric.compiled)} groupings"


def _bare(predicate: str, table: str, dialect: str) -> str:
    return sql.unqualify(predicate, dialect, table) if table else predicate


def _saved_row(saved: SavedQuery) -> tuple[str, ...]:
    exports = f" (exported as {', '.join(saved.exports)})" if saved.exports else ""
    said = (saved.description or saved.label) + exports
    return (saved.name, ", ".join(saved.metrics), ", ".join(saved.group_by), said)


def _use(exposure: Exposure) -> str:
    """``Weekly sales (dashboard, Ada)``."""
    said = ", ".join(each for each in (exposure.type, exposure.owner) if each)
    name = exposure.label or exposure.name
    return f"{name} ({said})" if said else name


def _exposure_row(exposure: Exposure) -> tuple[str, ...]:
    reads = ", ".join((*exposure.tables, *exposure.metrics))
    name = exposure.label or exposure.name
    return (name, exposure.type, exposure.owner, exposure.contact, reads, exposure.description)


def _also(label: str, synonyms: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in (label, *synonyms) if each))


def _rows(table: Table) -> str:
    return "" if table.rows is None else f"{table.rows:,}"


def _filled(facts: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in facts if value)


def _first_sentence(prose: str) -> str:
    return prose.split(". ")[0].rstrip(".")


def _hinted(message: str, hint: str) -> str:
    return f"{message} ({hint})" if hint else message
