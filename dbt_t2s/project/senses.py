"""What a metric or a rule says, spelled in one way: two that mean the same are one text.

Columns and tables that only have another name now are written with it; so what is left different
is another meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dbt_t2s import sql
from dbt_t2s.project.renames import Renames
from dbt_t2s.project.schema import Metric, MetricFilter, ProjectSchema, Rule
from dbt_t2s.sql import SqlError, exp

_MIRRORED: Mapping[type[exp.Expr], type[exp.Expr]] = {exp.GT: exp.LT, exp.GTE: exp.LTE}
_DENIED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ, exp.NEQ: exp.EQ, exp.LT: exp.GTE, exp.LTE: exp.GT,
    exp.GT: exp.LTE, exp.GTE: exp.LT,
}  # fmt: skip
_NOT_A_NAME = "#"  # no name that SQL gives has it


@dataclass(frozen=True)
class Senses:
    """The senses of a schema's metrics and rules, with names as ``renames`` has them."""

    schema: ProjectSchema
    renames: Renames = field(default_factory=Renames)

    def of_rule(self, rule: Rule) -> tuple[str, bool]:
        """Its condition, and whether it always applies."""
        return self._condition(rule.predicate, rule.table), rule.always

    def of_metric(self, metric: Metric) -> tuple[str, ...]:
        """What it calculates, but for what the metrics that it is made of do."""
        said = [metric.type, *self._filters(metric.filters)]
        made = metric.measure
        if made is not None:
            table, day = self.renames.table(made.table), made.time_column
            value = self._condition(made.expression, made.table)
            said += [made.aggregation, table, value, self.renames.column(made.table, day)]
        if metric.expression:
            said.append(self._condition(metric.expression, ""))
        for each in metric.inputs:
            said += [each.alias, each.metric, *self._filters(each.filters)]
        if made is None and not metric.expression and metric.compiled:
            said.append(self._statement(metric.compiled[0].sql))
        return tuple(said)

    def _filters(self, filters: Sequence[MetricFilter]) -> tuple[str, ...]:
        """One text for all of them: a list of filters says what their conjunction says."""
        dialect = self.schema.dialect
        try:
            parts = {part for each in filters for part in sql.conjuncts(each.predicate, dialect)}
        except SqlError:
            parts = {each.predicate for each in filters}
        return tuple(sorted(self._condition(part, "") for part in parts))

    def _condition(self, text: str, table: str) -> str:
        """An expression over the columns of ``table``, or over columns written with theirs."""
        try:
            tree = sql.parse_one(text, self.schema.dialect)
        except SqlError:
            return " ".join(text.split())
        for column in list(tree.find_all(exp.Column)):
            owner = column.table or table
            column.this.set("this", self.renames.column(owner, column.name))
            if owner in ("", table):
                column.set("table", None)
            else:
                column.set("table", exp.to_identifier(self.renames.table(owner)))
        return _spelled(tree)

    def _statement(self, text: str) -> str:
        """A whole query, whatever it calls its subqueries and their columns."""
        try:
            tree = sql.parse_one(text, self.schema.dialect)
            self._place(tree)
        except SqlError:
            return " ".join(text.split())
        _rename_aliases(tree)
        return _spelled(tree)

    def _place(self, tree: exp.Expr) -> None:
        """Marks the names of the schema's tables and columns, so that aliases can be told apart."""
        dialect = self.schema.dialect
        known = {sql.relation(t.relation, dialect): t.name for t in self.schema.tables}
        read: list[tuple[exp.Table, str]] = []
        for scope in sql.scopes(tree):
            sources = scope.selected_sources
            for name, (_, source) in sources.items():
                if not isinstance(source, exp.Table):
                    continue
                table = known.get(sql.table_name(source, dialect), "")
                read.append((source, table))
                for column in scope.columns:
                    if column.table == name or (not column.table and len(sources) == 1):
                        mine = self.renames.column(table, column.name)
                        column.this.set("this", f"{_NOT_A_NAME}{mine}")
        for source, table in read:
            if table:
                own = exp.to_identifier(f"{_NOT_A_NAME}{self.renames.table(table)}")
                source.args.update(this=own, db=None, catalog=None)


def _rename_aliases(tree: exp.Expr) -> None:
    """Numbers what a query itself gives names to, in order."""
    given: dict[str, str] = {}
    for node in tree.find_all(exp.Alias, exp.TableAlias, bfs=False):
        name = node.alias if isinstance(node, exp.Alias) else node.name
        if name:
            given.setdefault(name.lower(), f"{_NOT_A_NAME}{len(given)}")
    for node in tree.find_all(exp.Identifier, bfs=False):
        node.set("this", given.get(node.name.lower(), node.name))


def _spelled(node: exp.Expr) -> str:
    """The tree as text that no precedence is needed to read, in one order where order is free."""
    node = node.unnest()
    if isinstance(node, (exp.And, exp.Or)):
        return _listed(node.key, sorted({_spelled(part) for part in _joined(node, type(node))}))
    if isinstance(node, exp.Not):
        return _denied(node.this.unnest())
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Boolean):
        return _spelled(node.this) if node.expression.this else _denied(node.this.unnest())
    if type(node) in _MIRRORED:
        return _spelled(_MIRRORED[type(node)](this=node.expression, expression=node.this))
    if isinstance(node, (exp.EQ, exp.NEQ)):
        return _listed(node.key, sorted((_spelled(node.this), _spelled(node.expression))))
    if isinstance(node, exp.In) and node.expressions:
        return _listed("in", [_spelled(node.this), *sorted(map(_spelled, node.expressions))])
    if isinstance(node, exp.Identifier):
        return node.name.lower()
    if isinstance(node, exp.Literal):
        return repr(node.name) if node.is_string else node.name
    return _listed(node.key, list(_parts(node)))


def _denied(node: exp.Expr) -> str:
    if isinstance(node, exp.Not):
        return _spelled(node.this)
    if type(node) in _DENIED:
        return _spelled(_DENIED[type(node)](this=node.this, expression=node.expression))
    return _listed("not", [_spelled(node)])


def _joined(node: exp.Expr, kind: type[exp.Expr]) -> Iterator[exp.Expr]:
    node = node.unnest()
    if type(node) is not kind:
        yield node
        return
    yield from _joined(node.this, kind)
    yield from _joined(node.expression, kind)


def _parts(node: exp.Expr) -> Iterator[str]:
    for name in sorted(node.args):
        value = node.args[name]
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, exp.Expr):
                yield f"{name}={_spelled(each)}"
            elif each not in (None, False):
                yield f"{name}={each}"


def _listed(head: str, parts: Sequence[str]) -> str:
    return f"({head} {' '.join(parts)})" if parts else f"({head})"
