"""A project told otherwise: other names, fewer synonyms, fewer descriptions, the same data.

Trained on both tellings, a network reads names instead of remembering a schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from dbt_t2s.project.schema import (
    Column,
    Join,
    Metric,
    MetricFilter,
    MetricInput,
    ProjectSchema,
    Rule,
    Table,
)
from dbt_t2s.query.scope import quote
from dbt_t2s.sql import exp, parse_one, to_sql
from tests.tools.pretrain.names import snake

_RENAMED = 0.4
_SHORTENED = 0.1
_SYNONYMS_KEPT = 0.5
_UNDESCRIBED_SCHEMA = 0.35
_UNDESCRIBED = 0.15


@dataclass(frozen=True)
class Names:
    """New names by old ones: tables, (table, column) pairs and metrics."""

    tables: Mapping[str, str]
    columns: Mapping[tuple[str, str], str]
    metrics: Mapping[str, str]

    def token(self, token: str) -> str:
        """A plan token under the new names."""
        sort, _, body = token.partition(":")
        if sort == "t":
            return f"t:{self.tables[body]}"
        if sort == "m":
            return f"m:{self.metrics[body]}"
        if sort not in ("c", "v"):
            return token
        name, equals, value = body.partition("=")
        table, _, column = name.partition(".")
        return f"{sort}:{self.tables[table]}.{self.columns[table, column]}{equals}{value}"


def variant(schema: ProjectSchema, rng: Random) -> tuple[ProjectSchema, Names]:
    """The schema under other names, and what its old ones have become."""
    names = _named(schema, rng)
    silent = rng.random() < _UNDESCRIBED_SCHEMA

    def said(description: str) -> str:
        return "" if silent or rng.random() < _UNDESCRIBED else description

    def fewer(synonyms: Sequence[str], *besides: str) -> tuple[str, ...]:
        left = (s for s in synonyms if snake(s, s) not in besides)
        return tuple(s for s in left if rng.random() < _SYNONYMS_KEPT)

    def column(table: Table, old: Column) -> Column:
        new = names.columns[table.name, old.name]
        label = old.label if new == old.name else ""
        return replace(
            old, name=new, label=label,
            description=said(old.description), synonyms=fewer(old.synonyms, new),
        )  # fmt: skip

    def table(old: Table) -> Table:
        new = names.tables[old.name]
        return replace(
            old,
            name=new,
            relation=f'"{new}"',
            columns=tuple(column(old, c) for c in old.columns),
            description=said(old.description),
            synonyms=fewer(old.synonyms, new),
            primary_key=tuple(names.columns[old.name, c] for c in old.primary_key),
            time_column=names.columns.get((old.name, old.time_column), ""),
        )

    def metric(old: Metric) -> Metric:
        new = names.metrics[old.name]
        label = old.label if new == old.name else new.replace("_", " ").capitalize()
        made = _retold(old, names)
        synonyms = fewer(old.synonyms, new)
        return replace(
            made, name=new, label=label, description=said(old.description), synonyms=synonyms
        )

    def rule(old: Rule) -> Rule:
        predicate = _predicate(old.predicate, old.table, names)
        return replace(
            old, table=names.tables[old.table], predicate=predicate, synonyms=fewer(old.synonyms)
        )

    made = replace(
        schema,
        tables=tuple(map(table, schema.tables)),
        joins=tuple(_join(j, names) for j in schema.joins),
        metrics=tuple(map(metric, schema.metrics)),
        rules=tuple(map(rule, schema.rules)),
    )
    return made, names


def _named(schema: ProjectSchema, rng: Random) -> Names:
    tables = _new({t.name: t.synonyms for t in schema.tables}, rng)
    columns: dict[tuple[str, str], str] = {}
    for table in schema.tables:
        made = _new({c.name: c.synonyms for c in table.columns}, rng)
        columns |= {(table.name, old): new for old, new in made.items()}
    metrics = _new({m.name: m.synonyms for m in schema.metrics}, rng)
    return Names(tables, columns, metrics)


def _new(synonyms: Mapping[str, Sequence[str]], rng: Random) -> dict[str, str]:
    """Another name for some of the names, none of them given twice."""
    taken = set(synonyms)
    made: dict[str, str] = {}
    for old, others in synonyms.items():
        new = old
        if others and rng.random() < _RENAMED:
            chosen = rng.choice(list(others))
            new = snake(chosen, chosen)
        elif rng.random() < _SHORTENED:
            new = "_".join(_short(word) for word in old.split("_"))
        made[old] = new if new not in taken else old
        taken.add(made[old])
    return made


def _short(word: str) -> str:
    """``customer`` → cstmr, as old databases have it."""
    if len(word) < 5:
        return word
    return word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")


def _join(old: Join, names: Names) -> Join:
    return replace(
        old,
        table=names.tables[old.table],
        columns=tuple(names.columns[old.table, c] for c in old.columns),
        to_table=names.tables[old.to_table],
        to_columns=tuple(names.columns[old.to_table, c] for c in old.to_columns),
    )


def _retold(old: Metric, names: Names) -> Metric:
    measure = old.measure
    if measure is None:
        inputs = tuple(MetricInput(i.alias, names.metrics[i.metric]) for i in old.inputs)
        return replace(old, inputs=inputs)
    new = names.columns.get((measure.table, measure.expression))
    expression = quote(new) if new else measure.expression
    time = names.columns.get((measure.table, measure.time_column), "")
    table = names.tables[measure.table]
    return replace(
        old,
        measure=replace(measure, table=table, expression=expression, time_column=time),
        filters=tuple(_filter(f, names) for f in old.filters),
        tables=_tables(old.tables, names),
        time_table=table,
        time_column=time,
    )


def _filter(old: MetricFilter, names: Names) -> MetricFilter:
    return MetricFilter(
        _predicate(old.predicate, old.tables[0], names, qualified=True), _tables(old.tables, names)
    )


def _tables(old: Iterable[str], names: Names) -> tuple[str, ...]:
    return tuple(names.tables[name] for name in old)


def _predicate(text: str, table: str, names: Names, *, qualified: bool = False) -> str:
    tree = parse_one(text, "duckdb")
    for column in tree.find_all(exp.Column):
        new = names.columns.get((table, column.name), column.name)
        column.set("this", exp.to_identifier(new, quoted=True))
        if qualified:
            column.set("table", exp.to_identifier(names.tables[table]))
    return to_sql(tree, "duckdb")
