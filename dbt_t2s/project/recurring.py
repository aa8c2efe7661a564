"""Conditions that recur in compiled SQL over the same table.

A condition recurs when two statements at least, and a third of those that read the table, carry
it. Join keys, windows of dates and anything with a subquery (incremental filters) are no rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dbt_t2s import sql
from dbt_t2s.project.schema import Issue, Kind, Level, Rule, RuleKind, Table
from dbt_t2s.project.source_columns import SourceColumns
from dbt_t2s.project.statements import Parsed

MIN_CARRIERS = 2
MIN_SHARE = 1 / 3

# What nearly all queries over a table carry is offered as a rule that always holds.
ALWAYS_CARRIERS = 3
ALWAYS_SHARE = 0.8

_WORDS = ((r"<>|!=", " not "), (r">=", " at least "), (r"<=", " at most "), (r">", " over "))


@dataclass(frozen=True)
class Usage:
    """Who reads a table (node ids), and under which conditions over its bare columns."""

    table: Table
    readers: tuple[str, ...]
    carriers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def carrying(self, conditions: Sequence[str]) -> tuple[str, ...]:
        """The readers that carry all of ``conditions``."""
        held = [set(self.carriers.get(each, ())) for each in conditions]
        return tuple(r for r in self.readers if held and all(r in each for each in held))


def usages(parsed: Parsed, origins: SourceColumns) -> tuple[tuple[Usage, ...], tuple[Issue, ...]]:
    """For each table that statements read, how they do; an issue for each that cannot be read."""
    readers: dict[str, list[str]] = {}
    carriers: dict[str, dict[str, list[str]]] = {}
    tables: dict[str, Table] = {}
    issues: list[Issue] = []
    for index, (node, _, _) in enumerate(parsed.statements):
        try:
            scopes = parsed.scopes_of(index)
            found = dict.fromkeys(
                each for scope in scopes for each in _conditions(scope, origins, parsed.dialect)
            )
        except sql.SqlError as error:
            message = f"its SQL cannot be read for rules: {str(error).splitlines()[0]}"
            issues.append(Issue(Level.INFO, node, message))
            continue
        for table in origins.tables_read(scopes):
            tables[table.name] = table
            readers.setdefault(table.name, []).append(node)
        for name, condition in found:
            carriers.setdefault(name, {}).setdefault(condition, []).append(node)
    return tuple(
        Usage(
            table,
            tuple(dict.fromkeys(readers[name])),
            {key: tuple(dict.fromkeys(nodes)) for key, nodes in carriers.get(name, {}).items()},
        )
        for name, table in tables.items()
    ), tuple(issues)


def rules(usage: Usage) -> Iterator[Rule]:
    """The conditions that recur over one table, the most frequent first."""
    total = len(usage.readers)
    for condition, nodes in sorted(usage.carriers.items(), key=lambda each: -len(each[1])):
        if len(nodes) >= max(MIN_CARRIERS, MIN_SHARE * total):
            yield Rule(
                name=f"{usage.table.name}_{_slug(condition)}",
                sentence=f"{len(nodes)} of {total} queries over {usage.table.name} take only rows "
                f"where {condition}.",
                table=usage.table.name,
                predicate=condition,
                evidence=nodes,
                support=len(nodes),
                kind=RuleKind.CONDITION,
            )


def suggestions(usage: Usage, known: Sequence[Rule], dialect: str) -> Iterator[Issue]:
    """The conditions of nearly all queries over a table that no rule applies always."""
    always = {
        part
        for rule in known
        if rule.always and rule.table == usage.table.name
        for part in sql.conjuncts(rule.predicate, dialect)
    }
    total = len(usage.readers)
    for condition, nodes in sorted(usage.carriers.items(), key=lambda each: -len(each[1])):
        habit = len(nodes) >= max(ALWAYS_CARRIERS, ALWAYS_SHARE * total)
        if habit and condition not in always:
            yield Issue(
                Level.INFO,
                usage.table.unique_id,
                f"{len(nodes)} of {total} queries over {usage.table.name} take only rows where "
                f"{condition}",
                "if that always holds, write it in meta.t2s.rules with applies: always",
            )


def _conditions(
    scope: sql.Scope, origins: SourceColumns, dialect: str
) -> Iterator[tuple[str, str]]:
    """(table, condition over its bare columns) of one scope's WHERE and inner joins."""
    query = scope.expression
    if not isinstance(query, sql.exp.Select):
        return
    outer = _optional(query)
    written = [query.args["where"].this] if query.args.get("where") else []
    written += [
        join.args["on"]
        for join in query.args.get("joins") or ()
        if not join.side and join.args.get("on")
    ]
    for condition in written:
        for part in _parts(condition):
            found = _over_one_table(part, scope, origins, outer)
            if found is not None:
                table, bare = found
                yield from (
                    (table, each) for each in sql.conjuncts(sql.to_sql(bare, dialect), dialect)
                )


def _parts(condition: sql.exp.Expr) -> Iterator[sql.exp.Expr]:
    """What is joined by AND."""
    inner = condition.unnest()
    if isinstance(inner, sql.exp.And):
        for part in inner.flatten():
            yield from _parts(part)
    else:
        yield inner


def _optional(query: sql.exp.Select) -> frozenset[str]:
    """The aliases that an outer join may leave empty."""
    joins = query.args.get("joins") or ()
    found = {join.alias_or_name.lower() for join in joins if join.side in ("LEFT", "FULL")}
    if any(join.side in ("RIGHT", "FULL") for join in joins):
        first = query.find(sql.exp.From)
        found |= {first.alias_or_name.lower()} if first is not None else set()
    return frozenset(found)


def _over_one_table(
    part: sql.exp.Expr, scope: sql.Scope, origins: SourceColumns, outer: frozenset[str]
) -> tuple[str, sql.exp.Expr] | None:
    """The part with bare columns where all are of one table; None where it is no rule."""
    columns = list(part.find_all(sql.exp.Column))
    if not columns or part.find(sql.exp.Query, sql.exp.AggFunc, sql.exp.Window):
        return None
    if part.find(sql.exp.Is) and any(column.table.lower() in outer for column in columns):
        return None  # an outer join that found nothing says nothing about the table's rows
    found = origins.bare(scope, part)
    if found is None:
        return None
    table, bare = found
    names = [column.name for column in bare.find_all(sql.exp.Column)]
    if not part.find(sql.exp.Is) and any(_is_date(table, name) for name in names):
        return None
    return table.name, bare


def _is_date(table: Table, name: str) -> bool:
    return table.column(name).kind in (Kind.DATE, Kind.TIMESTAMP)


def _slug(condition: str) -> str:
    """A name made of a condition: ``status <> 'x'`` → status_not_x."""
    text = condition.lower()
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    return re.sub(r"[^a-z0-9]+", "_", text.replace("<", " under ")).strip("_")[:60]
