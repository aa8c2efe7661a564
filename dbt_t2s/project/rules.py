"""Business rules: written in meta, and implied by the filters of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import sql
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Node, items, text
from dbt_t2s.project.expansion import Expander, NoPath
from dbt_t2s.project.places import Places
from dbt_t2s.project.schema import Issue, Join, Level, Metric, Rule, RuleKind, Table


class NoRule(ValueError):
    """What somebody wrote as a rule is none that can be used; the message says why."""


@dataclass(frozen=True)
class Holder:
    """A node whose meta may hold rules, and the table they are about."""

    node: Node
    table: Table


def find(
    holders: Sequence[Holder],
    tables: Sequence[Table],
    joins: Sequence[Join],
    metrics: Sequence[Metric],
    execute: Execute | None,
    dialect: str,
    places: Places,
) -> tuple[tuple[Rule, ...], tuple[Issue, ...]]:
    """The rules written in the meta of ``holders``, then those of metrics.

    Names are unique. A rule's support is the number of metrics that carry it, and one more
    where somebody wrote it down.
    """
    reader = _Reader({table.name: table for table in tables}, joins, execute, dialect, places)
    rules: list[Rule] = []
    issues: list[Issue] = []
    for holder in holders:
        for given in items(meta.own(holder.node), "rules"):
            try:
                rules.append(reader.read(given, holder))
            except NoRule as why:
                where = f"{text(holder.node, 'unique_id')} meta.t2s.rules"
                issues.append(Issue(Level.WARNING, where, f"rule left out: {why}"))
    carried = _carried(metrics, dialect)
    known = {(rule.table, frozenset(sql.conjuncts(rule.predicate, dialect))) for rule in rules}
    for rule in _of_metrics(metrics, dialect):
        key = (rule.table, frozenset(sql.conjuncts(rule.predicate, dialect)))
        if key not in known:
            known.add(key)
            rules.append(rule)
    counted = [_with_support(rule, carried, dialect) for rule in rules]
    return tuple(uniquely_named(counted)), tuple(issues)


@dataclass(frozen=True)
class _Reader:
    tables: Mapping[str, Table]
    joins: Sequence[Join]
    execute: Execute | None
    dialect: str
    places: Places

    def read(self, given: object, holder: Holder) -> Rule:
        """The rule of one entry in meta."""
        if not isinstance(given, dict):
            raise NoRule(f"{given!r} has no name, sentence and expression")
        table = holder.table
        name = meta.clean(text(given, "name"))
        expression = text(given, "expression") or text(given, "predicate") or text(given, "sql")
        if not name or not expression:
            raise NoRule(f"{name or given!r} has no {'expression' if name else 'name'}")
        try:
            predicate, others = self._predicate(expression, table)
            self._try(predicate, others, table)
        except (sql.SqlError, NoPath, NoRule) as error:
            raise NoRule(f"{name}: {error}") from error
        place = self.places.in_properties(holder.node, name)
        return Rule(
            name=name,
            sentence=meta.clean(text(given, "sentence") or text(given, "description")),
            table=table.name,
            predicate=predicate,
            evidence=(text(holder.node, "unique_id"), *([place] if place else [])),
            support=1,
            synonyms=meta.synonyms({"meta": given}),
            always=text(given, "applies").lower() == "always",
        )

    def _predicate(self, expression: str, table: Table) -> tuple[str, tuple[str, ...]]:
        """The condition over bare columns of ``table``, and the other tables it reads.

        Those are reached along proven joins and their columns are written ``table.column``.
        Of a filtered aggregate (``sum(x) filter (where …)``) the filter is the rule.
        """
        node = sql.parse_one(expression, self.dialect)
        if isinstance(node, sql.exp.Filter):
            node = node.expression.this
        elif node.find(sql.exp.AggFunc):
            raise NoRule("an aggregate is a rule only with FILTER (WHERE …)")
        node = node.transform(lambda part: self._joined(part, table))
        if node.find(sql.exp.Query):
            raise NoRule("its subquery is not `column in (select key from table where …)`")
        columns = sql.columns_in(node)
        for owner, name in columns:
            place = self.tables.get(owner or table.name)
            if place is None or not _has(place, name):
                shown = f"{owner}.{name}" if owner else name
                raise NoRule(f"{shown} is not a column of {table.name}")
        others = tuple(dict.fromkeys(o for o, _ in columns if o and o != table.name))
        return sql.to_sql(node, self.dialect), others

    def _joined(self, part: sql.exp.Expr, table: Table) -> sql.exp.Expr:
        """``key in (select key from other where …)`` along a proven join as the condition."""
        query = part.args.get("query") if isinstance(part, sql.exp.In) else None
        inner = query.unnest() if isinstance(query, sql.exp.Expr) else None
        if not isinstance(inner, sql.exp.Select) or not isinstance(part.this, sql.exp.Column):
            return part
        source = inner.find(sql.exp.Table)
        where = inner.args.get("where")
        key = inner.selects[0] if len(inner.selects) == 1 else None
        if source is None or where is None or not isinstance(key, sql.exp.Column):
            return part
        edge = (table.name, (part.this.name,), source.name, (key.name,))
        proven = {(j.table, j.columns, j.to_table, j.to_columns) for j in self.joins}
        plain = not any(inner.args.get(name) for name in ("group", "having", "joins", "limit"))
        if edge not in proven or not plain:
            return part
        names = {c.name.lower(): c.name for c in self.tables[source.name].columns}
        written = sql.to_sql(where.this, self.dialect)
        qualified = sql.qualify(written, self.dialect, source.name, names)
        return sql.exp.paren(sql.parse_one(qualified, self.dialect))

    def _try(self, predicate: str, others: Sequence[str], table: Table) -> None:
        """Ask the warehouse whether it takes the condition."""
        if self.execute is None:
            return
        names = {column.name.lower(): column.name for column in table.columns}
        expander = Expander({}, self.tables, self.joins, self.dialect)
        source = expander.source(table.name, others)
        if not others:
            predicate = sql.qualify(predicate, self.dialect, table.name, names)
        found = self.execute(f"select count(*) from {source} where {predicate}")
        if isinstance(found, QueryError):
            raise NoRule(found.message)


def _has(table: Table, name: str) -> bool:
    return any(column.name.lower() == name.lower() for column in table.columns)


def _own_filters(metric: Metric, dialect: str) -> Iterator[tuple[str, str]]:
    """A simple metric's filters as (table, condition over its bare columns), one table each."""
    for each in metric.filters:
        if len(each.tables) == 1:
            yield each.tables[0], sql.unqualify(each.predicate, dialect)


def _of_metrics(metrics: Sequence[Metric], dialect: str) -> Iterator[Rule]:
    """What the business counts, and what not: a metric's filters, those of a table together."""
    for metric in metrics:
        by_table: dict[str, list[str]] = {}
        for table, predicate in _own_filters(metric, dialect):
            by_table.setdefault(table, []).extend(sql.conjuncts(predicate, dialect))
        for table, parts in by_table.items():
            predicate = " AND ".join(dict.fromkeys(parts))
            yield Rule(
                name=f"{metric.name}_filter",
                sentence=f"{metric.label or metric.name} takes only {table} where {predicate}",
                table=table,
                predicate=predicate,
                evidence=(metric.unique_id or f"metric {metric.name}",),
                kind=RuleKind.METRIC,
            )


@dataclass(frozen=True)
class _Carrier:
    """A simple metric and the conditions it sets on a table; ``at_home`` if it measures that."""

    metric: str
    conditions: frozenset[str]
    at_home: bool


def _carried(metrics: Sequence[Metric], dialect: str) -> dict[str, list[_Carrier]]:
    """For each table, the metrics that measure it or set conditions on it."""
    found: dict[str, list[_Carrier]] = {}
    for metric in metrics:
        if metric.measure is None:
            continue
        home = metric.measure.table
        by_table: dict[str, set[str]] = {home: set()}
        for table, predicate in _own_filters(metric, dialect):
            by_table.setdefault(table, set()).update(sql.conjuncts(predicate, dialect))
        for each in metric.filters:
            # What the home table is measured under, other tables' columns with their names.
            seen_from_home = sql.unqualify(each.predicate, dialect, home)
            by_table[home].update(sql.conjuncts(seen_from_home, dialect))
        name = metric.unique_id or f"metric {metric.name}"
        for table, parts in by_table.items():
            carrier = _Carrier(name, frozenset(parts), table == home)
            found.setdefault(table, []).append(carrier)
    return found


def carried_conditions(metrics: Sequence[Metric], dialect: str) -> dict[str, list[frozenset[str]]]:
    """The conditions of each metric over a table that it measures itself, by table."""
    return {
        table: [each.conditions for each in listed if each.at_home]
        for table, listed in _carried(metrics, dialect).items()
    }


def _with_support(rule: Rule, carried: Mapping[str, Sequence[_Carrier]], dialect: str) -> Rule:
    """The rule with the metrics that carry it; what nearly all of a table's carry always holds."""
    wanted = frozenset(sql.conjuncts(rule.predicate, dialect))
    listed = carried.get(rule.table, ())
    holding = [each for each in listed if wanted <= each.conditions]
    at_home = [each for each in listed if each.at_home]
    return replace(
        rule,
        evidence=tuple(dict.fromkeys((*rule.evidence, *(each.metric for each in holding)))),
        support=rule.support + len(holding),
        always=rule.always or _nearly_all(sum(each in holding for each in at_home), len(at_home)),
    )


def _nearly_all(holding: int, metrics: int) -> bool:
    """One metric proves no habit; one exception among many does not break it."""
    return metrics > 1 and holding >= 0.8 * metrics


def uniquely_named(rules: Sequence[Rule]) -> Iterator[Rule]:
    """The rules, with those told apart that share a name."""
    taken: set[str] = set()
    for rule in rules:
        names = (rule.name, f"{rule.name}_{rule.table}", f"{rule.name}_{len(taken)}")
        name = next(each for each in names if each not in taken)
        taken.add(name)
        yield replace(rule, name=name)
