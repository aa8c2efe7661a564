"""Conditions rendered for a scope: by column, by date, by rule, and by what exists elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Container

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Kind, ProjectSchema
from dbt_t2s.query.joins import JoinGraph
from dbt_t2s.query.measures import Measures
from dbt_t2s.query.plan import (
    COMPARISONS,
    OPPOSITE,
    Average,
    Col,
    Compare,
    Diff,
    During,
    Flag,
    Has,
    Like,
    Not,
    Null,
    Only,
    Or,
    Overall,
    Peers,
    Pred,
    Range,
    RuleRef,
    Time,
    Value,
    Weekdays,
)
from dbt_t2s.query.scope import Scope, column, literal, tables_in


class Predicates:
    """Renders predicates over one schema as marked SQL (see ``scope``)."""

    def __init__(self, schema: ProjectSchema, graph: JoinGraph, measures: Measures) -> None:
        self._schema = schema
        self._graph = graph
        self._measures = measures
        self._tables = {table.name: table for table in schema.tables}
        self._rules = {
            rule.name: (rule.table, measures.condition(rule.predicate, rule.table))
            for rule in schema.askable_rules
        }

    def render(self, pred: Pred, root: str, time: Col | None = None) -> str:
        """``pred`` as a condition on rows of ``root``; tables on the many side are searched."""
        time = time or self._measures.time_column(root)
        table = self.table_of(pred, root)
        if self._graph.reaches(root, table):
            return self._direct(pred, root, time)
        return self._search(table, (pred,), root)

    def table_of(self, pred: Pred, root: str) -> str:
        """The table whose rows ``pred`` is about (``root`` where it does not say)."""
        match pred:
            case Value(table, _, _):
                return table
            case During(of, _) | Weekdays(of, _):
                return root if isinstance(of, Time) else of.table
            case Flag(of) | Null(of) | Like(of, _):
                return of.table
            case RuleRef(name):
                return self._rule(name)[0]
            case Not(inner):
                return self.table_of(inner, root)
            case Or(left, right):
                tables = {self.table_of(left, root), self.table_of(right, root)}
                if len(tables) == 1:
                    return tables.pop()
                # Each side is searched for from the root; without one, from where both are known.
                return root or self._graph.bridge(frozenset(tables)) or ""
            case Compare(_, left_side, _):
                return left_side.table if isinstance(left_side, Col | Diff) else root
            case Has():
                return root

    def _rule(self, name: str) -> tuple[str, str]:
        if name not in self._rules:
            raise QueryPlanError(f"no rule is called {name!r}")
        return self._rules[name]

    def _direct(self, pred: Pred, root: str, time: Col | None) -> str:
        def again(inner: Pred) -> str:
            return self.render(inner, root, time)

        match pred:
            case Value():
                return f"{self._column(pred)} = {self._literal(pred)}"
            case During(of, span):
                if isinstance(of, Time) and time is None:
                    raise QueryPlanError(f"{root!r} has no time of its own")
                return during(column(time if isinstance(of, Time) else of), span)  # type: ignore[arg-type]
            case Weekdays(of, days):
                if isinstance(of, Time) and time is None:
                    raise QueryPlanError(f"{root!r} has no time of its own")
                of_day = column(time if isinstance(of, Time) else of)  # type: ignore[arg-type]
                return f"dayname({of_day}) in ({', '.join(map(literal, days))})"
            case RuleRef(name):
                return _in_brackets(self._rule(name)[1])
            case Flag(of):
                return column(of)
            case Null(of):
                return f"{column(of)} is null"
            case Like(of, text):
                return f"{column(of)} ilike {literal('%' + text + '%')}"
            case Not(inner):
                return self._negated(inner, again, root)
            case Or():
                return self._either(pred, again)
            case Compare():
                return self._compare(pred, root, negated=False)
            case Has(table, where):
                return self._search(table, where, root)

    def _negated(self, pred: Pred, again: Callable[[Pred], str], root: str) -> str:
        match pred:
            case Value():
                return f"{self._column(pred)} <> {self._literal(pred)}"
            case Null(of):
                return f"{column(of)} is not null"
            case Or() if (values := _values(pred)) is not None:
                listed = ", ".join(self._literal(v) for v in values)
                return f"{self._column(values[0])} not in ({listed})"
            case Has(table, where):
                return self._search(table, where, root, negated=True)
            case Flag(of):
                return f"not {column(of)}"
            case Compare():
                return self._compare(pred, root, negated=True)
            case _:
                return f"not ({again(pred)})"

    def _either(self, pred: Or, again: Callable[[Pred], str]) -> str:
        values = _values(pred)
        if values is not None:
            listed = ", ".join(self._literal(v) for v in values)
            return f"{self._column(values[0])} in ({listed})"
        return f"({again(pred.left)} or {again(pred.right)})"

    def _column(self, value: Value) -> str:
        return column(Col(value.table, value.column))

    def _literal(self, value: Value) -> str:
        kind = self._tables[value.table].column(value.column).kind
        if kind is Kind.NUMBER:
            return value.value
        if kind is Kind.BOOLEAN:
            return value.value.lower()
        if kind is Kind.DATE:
            return f"date {literal(value.value)}"
        return literal(value.value)

    @staticmethod
    def operator(name: str) -> str:
        return COMPARISONS[name]

    def comparison(self, left: str, operator: str, number: str) -> str:
        return f"{left} {COMPARISONS[operator]} {number}"

    def _compare(self, pred: Compare, root: str, negated: bool) -> str:
        if isinstance(pred.left, Col | Diff):
            way = OPPOSITE[pred.operator] if negated else pred.operator
            left = self._measures.row(pred.left)
            if isinstance(pred.right, Col):
                return f"{left} {COMPARISONS[way]} {column(pred.right)}"
            if isinstance(pred.right, Peers):
                average = self._average_of_peers(left, pred.right.of, ())
                return f"{left} {COMPARISONS[way]} ({average})"
            if isinstance(pred.right, Average):
                average = self._average_of_those(left, pred.left.table, pred.right)
                return f"{left} {COMPARISONS[way]} {average}"
            if isinstance(pred.right, Overall):
                raise QueryPlanError("a row has no share in a whole to be compared with")
            if pred.right is not None:
                return self.comparison(left, way, pred.right)
            return f"{left} {COMPARISONS[way]} ({self._average(left, pred.left.table)})"
        return self._compare_finer(pred, root, negated)

    def _average(self, of: str, table: str) -> str:
        """The average over the table's rows that count."""
        return self._over_counted(f"avg({of})", table, ())

    def _average_of_those(self, of: str, table: str, average: Average) -> str:
        """A multiple of the average over the rows that meet its conditions."""
        said = tuple(self.render(pred, table) for pred in average.where)
        if average.of is None:
            made = self._over_counted(f"avg({of})", table, said)
        else:
            made = self._average_of_peers(of, average.of, said)
        return f"({made})" if average.times == "1" else f"{average.times} * ({made})"

    def _average_of_peers(self, of: str, peers: Col, said: tuple[str, ...]) -> str:
        """The average over those of them that are alike; grouped first, so that no name inside
        hides the row's own."""
        taken = {each.name.lower() for each in self._tables[peers.table].columns}
        peer, average = (_unlike(name, taken) for name in ("peer", "average"))
        averages = self._over_counted(
            f"{column(peers)} as {peer}, avg({of}) as {average}", peers.table, said
        )
        return (
            f"select {average} from ({averages} group by 1) as peers where {peer} = {column(peers)}"
        )

    def _over_counted(self, selected: str, table: str, said: tuple[str, ...]) -> str:
        counted = tuple(dict.fromkeys((*self._measures.always(table, said), *said)))
        scope = Scope(self._schema, self._graph, table, sorted(_tables(counted)))
        where = f" where {' and '.join(counted)}" if counted else ""
        return scope.settle(f"select {selected} {scope.from_clause()}{where}")

    def _compare_finer(self, pred: Compare, root: str, negated: bool) -> str:
        """``customers with more than 3 orders``: keys from a grouping of the finer table."""
        if isinstance(pred.left, Col | Diff) or not isinstance(pred.right, str):
            raise QueryPlanError("a condition compares a measure with a number")
        only = pred.left if isinstance(pred.left, Only) else None
        lowered = self._measures.lower(only.of if only else pred.left)
        finer = {atom.root for atom in lowered.atoms}
        if len(finer) != 1 or finer == {root}:
            raise QueryPlanError("the measure is not one of a finer table")
        table = finer.pop()
        key, foreign = self._link(table, root)
        said = (self.render(only.predicate, table),) if only else ()
        atoms = tuple(atom.under(said) for atom in lowered.atoms)
        hoisted = common_filters(tuple(atom.filters for atom in atoms))
        value = lowered.fill(tuple(atom.sql(hoisted) for atom in atoms))
        # NOT IN a list that holds a NULL is never true.
        absent = (f"{foreign} is not null",) if negated else ()
        conditions = list(dict.fromkeys((*absent, *said, *sorted(hoisted))))
        scope = Scope(
            self._schema, self._graph, table, sorted(_tables((value, foreign, *conditions)))
        )
        where = f" where {' and '.join(conditions)}" if conditions else ""
        inner = (
            f"select {foreign}\n{scope.from_clause()}{where}\ngroup by 1\n"
            f"having {value} {COMPARISONS[pred.operator]} {pred.right}"
        )
        return f"{key} {'not in' if negated else 'in'} (\n{scope.settle(inner)}\n)"

    def _link(self, finer: str, root: str) -> tuple[str, str]:
        """The root's key column and, marked, the finer table's column that points at it."""
        path = self._graph.path(finer, root)
        if not path:
            raise QueryPlanError(f"{finer!r} does not lead to {root!r}")
        step = path[-1]
        if len(step.columns) != 1:
            raise QueryPlanError(f"{finer!r} joins {root!r} by several columns")
        return column(Col(root, step.to_columns[0])), column(Col(step.table, step.columns[0]))

    def _search(self, table: str, where: tuple[Pred, ...], root: str, negated: bool = False) -> str:
        """Rows of ``root`` for which the many-side ``table`` has (or lacks) rows that match."""
        if table not in self._tables:
            raise QueryPlanError(f"no table is called {table!r}")
        key, foreign = self._link(table, root)
        said = [self.render(p, table) for p in where]
        conditions = [*self._measures.always(table, said), *said]
        if negated:
            conditions.insert(0, f"{foreign} is not null")
        scope = Scope(self._schema, self._graph, table, sorted(_tables((foreign, *conditions))))
        lines = [f"select {foreign}", scope.from_clause()]
        if conditions:
            lines.append("where " + " and ".join(conditions))
        inner = scope.settle("\n".join(lines))
        return f"{key} {'not in' if negated else 'in'} (\n{inner}\n)"


def _tables(fragments: tuple[str, ...]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for fragment in fragments:
        found |= tables_in(fragment)
    return found


def common_filters(filters: tuple[tuple[str, ...], ...]) -> frozenset[str]:
    """The conditions that all of several atoms share, which WHERE may then carry."""
    sets = [frozenset(f) for f in filters]
    return frozenset.intersection(*sets) if sets else frozenset()


def during(of: str, span: Range) -> str:
    """A half-open range of days on a date or timestamp column."""
    parts = []
    if span.start:
        parts.append(f"{of} >= date {literal(span.start)}")
    if span.end:
        parts.append(f"{of} < date {literal(span.end)}")
    if not parts:
        raise QueryPlanError("a range of dates with neither start nor end")
    return " and ".join(parts)


def _in_brackets(predicate: str) -> str:
    return f"({predicate})" if " or " in predicate.lower() else predicate


def _values(pred: Pred) -> tuple[Value, ...] | None:
    """The values of a chain of ORs over one column; None where it is something else."""
    if isinstance(pred, Value):
        return (pred,)
    if isinstance(pred, Or):
        left, right = _values(pred.left), _values(pred.right)
        if left and right and (left[0].table, left[0].column) == (right[0].table, right[0].column):
            return (*left, *right)
    return None


def _unlike(name: str, taken: Container[str]) -> str:
    """``name``, or something like it that is none of the names ``taken``."""
    while name in taken:
        name += "_"
    return name
