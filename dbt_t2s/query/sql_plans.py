"""SQL as query plans: FROM, JOIN and GROUP BY are dropped, where the plan implies them.

The opposite of ``bind``: what a plan cannot say is refused with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.checked import parts_of
from dbt_t2s.query.plan import (
    Agg,
    Arithmetic,
    AvgEach,
    Col,
    Count,
    Diff,
    Dim,
    Expr,
    Has,
    Measure,
    Not,
    Null,
    Only,
    Or,
    Plan,
    Pred,
    Rate,
    is_measure,
)
from dbt_t2s.query.plan_parts import measures_of
from dbt_t2s.query.scope import column
from dbt_t2s.query.simplest import Simplest
from dbt_t2s.query.sql_conditions import (
    column_of,
)
from dbt_t2s.query.sql_half import Half, joins, points, table_of, tables_of
from dbt_t2s.query.sql_measures import is_measured
from dbt_t2s.query.sql_selects import Selects
from dbt_t2s.query.sql_source import (
    Names,
    NotConvertedError,
    Source,
    names_of,
    parsed,
)
from dbt_t2s.query.sql_units import unscaled
from dbt_t2s.sql import exp, transpile

_NAMING = frozenset(("name", "title", "label"))


class Converter:
    """Converts SQL over one schema, in the dialect of its project.

    ``names`` and ``read`` are for SQL of other makes: how its names are spelled, and its tree from
    a text and those names. Conditions that a rule of the project states become that rule. ``alike``
    says whether two queries in DuckDB's SQL give the same rows: it finds more metrics.
    """

    def __init__(
        self,
        schema: ProjectSchema,
        names: Names | None = None,
        read: Callable[[str, Names], exp.Expr] | None = None,
        alike: Callable[[str, str], bool] | None = None,
    ) -> None:
        self._schema = schema
        self._names = names or names_of(schema)
        self._read = read or (lambda text, _: parsed(text, schema.dialect))
        self._binder = Binder(schema)
        self._graph = self._binder.graph
        self._alike = alike
        self._simplest = Simplest(schema, self._binder, alike)
        self._selects = Selects(
            schema, self._names, self._graph, self._member, self._average_of_groups, read is None
        )

    def plan(self, text: str, *, short: bool = True) -> Plan:
        """The plan whose SQL asks for the same; NotConvertedError says why there is none.

        Sort keys that break ties alone are left out of it, plans have one. Metrics are
        called by their names where it is to be ``short``.
        """
        tree = self._read(text, self._names).unnest()
        plan = self._read_plan(tree)
        if self._adds(plan) and not self._gives(plan, text):
            raise NotConvertedError("rows that a rule of the project leaves out")
        return self._simplest.of(plan, named=short)

    def nearest(self, text: str) -> Plan:
        """The plan that says most of what the SQL asks for: shares for percentages, no rounding,
        and the project's rules whether or not the SQL keeps to them.

        NotConvertedError says why there is none.
        """
        tree = unscaled(self._read(text, self._names)).unnest()
        plan = self._read_plan(tree)
        self._adds(plan)
        return self._simplest.of(plan)

    def _read_plan(self, tree: exp.Expr) -> Plan:
        self._selects.edges = set()
        if tree.args.get("with_"):
            raise NotConvertedError("a CTE")
        if isinstance(tree, exp.Select):
            plan = self._average_of_groups(tree) or self._placed(self._selects.half(tree))
        elif isinstance(tree, exp.Except):
            plan = self._except(tree)
        elif isinstance(tree, exp.Intersect):
            plan = self._intersect(tree)
        elif isinstance(tree, exp.Union):
            plan = self._union(tree)
        else:
            raise NotConvertedError("a statement of another kind")
        return replace(plan, select=tuple(map(_rate, plan.select)))

    def _adds(self, plan: Plan) -> bool:
        """Whether the binder leaves out rows that the SQL does not; NotConvertedError where it
        refuses the plan."""
        try:
            self._binder.sql(plan)
            return self._added(plan)
        except QueryPlanError as error:
            raise NotConvertedError("the binder refuses it") from error

    def _gives(self, plan: Plan, text: str) -> bool:
        """Whether the plan gives the text's rows all the same, where that can be tried."""
        if self._alike is None:
            return False
        said = transpile(text, self._schema.dialect, "duckdb")
        return self._alike(said, self._binder.sql(plan))

    def _added(self, plan: Plan) -> bool:
        """Whether the binder leaves out rows that the SQL does not: by a rule or without a name."""
        binder = self._binder
        groups = [e.dim for e in plan.select if isinstance(e, AvgEach)]
        if binder.with_names(plan.where, groups) != plan.where:
            return True
        measures = [m.of if isinstance(m, AvgEach) else m for m in measures_of(plan)]
        atoms = [atom for measure in measures for atom in binder.lower(measure).atoms]
        for atom in atoms:
            said = [binder.predicates.render(p, atom.root, atom.time) for p in plan.where]
            if len(atom.under(said).filters) > len(atom.filters):
                return True
        for has in (part for part in parts_of(plan) if isinstance(part, Has)):
            said = [binder.predicates.render(p, has.table) for p in has.where]
            if binder.measures.always(has.table, said):
                return True
        if atoms:
            return False
        stated = binder.sql(plan)
        root = self._graph.bridge(frozenset(table_of(d) for d in plan.select if isinstance(d, Dim)))
        said = [binder.predicates.render(p, root or "") for p in plan.where]
        said += [column(d) for d in plan.select if isinstance(d, Col)]
        rules = binder.measures.always(root or "", said)
        return any(rule.rpartition(".")[2] in stated for rule in rules)

    def _average_of_groups(self, select: exp.Select) -> Plan | None:
        """``select avg(x) from (select dim, measure as x … group by 1)``; None for other SQL."""
        start = select.args.get("from_")
        if start is None or not isinstance(start.this, exp.Subquery) or select.args.get("joins"):
            return None
        inner, outer = start.this.unnest(), [e.unalias().unnest() for e in select.expressions]
        if not isinstance(inner, exp.Select) or len(outer) != 1 or select.args.get("where"):
            raise NotConvertedError("a subquery in FROM")
        half = self._selects.half(inner)
        dims = [e for e in half.select if not is_measure(e)]
        rest = [e for e in half.select if is_measure(e)]
        if len(dims) != 1 or len(rest) != 1 or half.limit or not isinstance(outer[0], exp.Avg):
            raise NotConvertedError("a subquery in FROM")
        named = [e.alias_or_name for e in inner.expressions if is_measured(e)]
        if outer[0].this.name not in named:
            raise NotConvertedError("a subquery in FROM")
        plan = self._placed(replace(half, order=None))
        by, of = dims[0], rest[0]
        assert isinstance(by, Dim) and not isinstance(of, Dim)
        return Plan((AvgEach(of, by),), plan.where, plan.having)

    # ---- placing conditions

    def _placed(self, half: Half) -> Plan:
        plan = Plan(half.select, (), half.having, half.order, half.limit, half.per, half.distinct)
        root = self._root(plan, half)
        plan, counted = self._counted_where(plan, half, root)
        if counted:
            root = self._root(plan, half)
        near: list[Pred] = []
        far: list[Pred] = []
        for pred in half.preds:
            table = self._binder.predicates.table_of(pred, root)
            (near if self._graph.reaches(root, table) else far).append(pred)
        where = (*near, *self._far(tuple(far), root, half), *counted)
        if half.finest and not far and not counted and not self._covered(root, half):
            where = (*where, Has(half.finest, ()))
            self._along(half.finest, root)
        for table in self._named(plan, tuple(near)):
            self._along(root, table)
        return replace(plan, where=where)

    def _root(self, plan: Plan, half: Half) -> str:
        if measures_of(plan):
            try:
                roots = self._binder.roots(plan)
            except QueryPlanError as error:
                raise NotConvertedError("the binder refuses it") from error
            if len(roots) != 1:
                raise NotConvertedError("measures of several tables")
            root = roots[0]
        else:
            named = frozenset(table_of(e) for e in plan.select if isinstance(e, Dim))
            root = self._graph.bridge(named) or ""
        if root not in half.source.tables:
            raise NotConvertedError("the binder would start from another table")
        return root

    def _covered(self, root: str, half: Half) -> bool:
        """Whether the rows of the gold's finest table are what the plan is about."""
        return self._graph.reaches(root, half.finest)

    def _counted_where(self, plan: Plan, half: Half, root: str) -> tuple[Plan, tuple[Pred, ...]]:
        """``students with more than 2 pets``: HAVING on a finer table becomes a condition."""
        rest = [e for e in plan.select if is_measure(e)]
        ordered = plan.order is not None and is_measure(plan.order.by)
        if not plan.having or rest or ordered or half.preds:
            return plan, ()
        named = frozenset(table_of(e) for e in plan.select if isinstance(e, Dim))
        subject = self._graph.bridge(named)
        if subject is None or subject not in half.source.tables or subject == half.finest:
            return plan, ()
        if not self._is_link(half.finest, subject) or not self._one_each(half, subject):
            return plan, ()
        if any(self._root_of(c.left) != half.finest for c in half.having):
            return plan, ()
        self._along(half.finest, subject)
        return replace(plan, having=(), distinct=False), tuple(half.having)

    def _root_of(self, left: Measure | Col | Diff) -> str:
        if isinstance(left, Count):
            return left.table
        return left.of.table if isinstance(left, Agg) else ""

    def _one_each(self, half: Half, subject: str) -> bool:
        """Whether GROUP BY makes one group of each row of ``subject``."""
        key = self._schema.table(subject).primary_key
        for group in half.group:
            if not isinstance(group, Col):
                continue
            if group.table == subject and (group.column,) == key:
                return True
            if any(points(j, group) and j.to_table == subject for j in self._schema.joins):
                return True
            if group.table == subject and self._is_name(group):
                return True
        return False

    def _far(self, far: tuple[Pred, ...], root: str, half: Half) -> tuple[Pred, ...]:
        """Conditions on tables that ``root`` does not reach: searched for on the many side."""
        if not far:
            return ()
        if len(far) == 1:
            table = self._binder.predicates.table_of(far[0], root)
            if self._is_link(table, root) and not isinstance(far[0], Not):
                self._along(table, root)
                return far
        finest = half.finest
        if not finest:
            if all(self._is_link(self._binder.predicates.table_of(p, root), root) for p in far):
                for pred in far:
                    self._along(self._binder.predicates.table_of(pred, root), root)
                return far
            raise NotConvertedError("conditions over a join that multiplies rows")
        return (self._has(finest, far, root),)

    def _has(self, table: str, where: tuple[Pred, ...], root: str) -> Has:
        if not self._is_link(table, root):
            raise NotConvertedError("a table that is not linked to what is asked for")
        self._along(table, root)
        for pred in where:
            inner = self._binder.predicates.table_of(pred, table)
            self._along(table, inner)
        return Has(table, where)

    def _is_link(self, finer: str, root: str) -> bool:
        path = self._graph.path(finer, root)
        return bool(path) and path is not None and len(path[-1].columns) == 1

    def _along(self, table: str, to_table: str) -> None:
        """The binder's path must be made of the gold's own joins."""
        path = self._graph.path(table, to_table)
        if path is None:
            raise NotConvertedError("no path of many-to-one joins")
        if not set(path) <= self._selects.edges:
            raise NotConvertedError("the binder would join along other columns")

    def _named(self, plan: Plan, near: tuple[Pred, ...]) -> set[str]:
        tables = {table_of(e) for e in plan.select if isinstance(e, Dim)}
        if plan.order and isinstance(plan.order.by, Dim):
            tables.add(table_of(plan.order.by))
        for pred in near:
            tables |= tables_of(pred)
        return tables

    # ---- subqueries and sets

    def _member(self, of: Col, query: exp.Expr, source: Source, negated: bool) -> tuple[Pred, ...]:
        """``of [NOT] IN (query)`` as what the rows of its table have or are."""
        select = query.unnest()
        if not isinstance(select, exp.Select):
            raise NotConvertedError("IN over something other than a SELECT")
        half = self._selects.half(select)
        if half.order or half.limit or len(half.select) != 1:
            raise NotConvertedError("IN over an ordered SELECT")
        column = half.select[0]
        if not isinstance(column, Col):
            raise NotConvertedError("IN over aggregates")
        if not negated:
            return self._membership(of, column, half)
        # NOT IN a list that holds a NULL is never true: that it holds none is implied.
        linked = tuple(p for p in half.preds if p != Not(Null(column)))
        found = self._membership(of, column, replace(half, preds=linked))
        if len(found) != 1:
            raise NotConvertedError("NOT IN over several conditions")
        return (Not(found[0]),)

    def _membership(self, of: Col, column: Col, half: Half) -> tuple[Pred, ...]:
        if half.having:
            return self._membership_counted(of, column, half)
        up = [j for j in self._schema.joins if joins(j, column, of)]
        down = [j for j in self._schema.joins if joins(j, of, column)]
        same = column == of and self._is_name(of)
        if not same and not up and not down:
            raise NotConvertedError("IN over columns that do not join")
        self._selects.edges.update(up, down)
        if down and not up:
            if half.finest != column.table:
                raise NotConvertedError("IN over a chain of tables")
            if not half.preds:
                raise NotConvertedError("IN over a whole table")
            for pred in half.preds:
                self._along(of.table, self._binder.predicates.table_of(pred, of.table))
            return half.preds
        if not half.finest:
            raise NotConvertedError("conditions over a join that multiplies rows")
        if half.finest == of.table:
            if self._schema.table(of.table).primary_key != (of.column,) or not half.preds:
                raise NotConvertedError("groups of rows that have or lack others")
            return half.preds
        return (self._has(half.finest, half.preds, of.table),)

    def _is_name(self, of: Col) -> bool:
        """Whether two rows that share the column are one: a key, or what people call rows by."""
        words = set(column_of(self._schema, of).label.split())
        return self._schema.table(of.table).primary_key == (of.column,) or bool(words & _NAMING)

    def _membership_counted(self, of: Col, column: Col, half: Half) -> tuple[Pred, ...]:
        up = [j for j in self._schema.joins if joins(j, column, of)]
        if not up or half.preds or half.group != (column,) or half.finest != column.table:
            raise NotConvertedError("IN over groups")
        self._selects.edges.update(up)
        self._along(half.finest, of.table)
        if any(self._root_of(c.left) != half.finest for c in half.having):
            raise NotConvertedError("IN over groups")
        return tuple(half.having)

    def _sides(self, tree: exp.SetOperation) -> tuple[Half, Half]:
        sides = [side.unnest() for side in (tree.this, tree.expression)]
        halves = []
        for side in sides:
            if not isinstance(side, exp.Select):
                raise NotConvertedError("a set of sets")
            half = self._selects.half(side)
            if half.order or half.limit or not all(isinstance(e, Col) for e in half.select):
                raise NotConvertedError("a set over aggregates")
            halves.append(half)
        if tree.args.get("order") or tree.args.get("limit"):
            raise NotConvertedError("a set that is ordered")
        return halves[0], halves[1]

    def _except(self, tree: exp.Except) -> Plan:
        left, right = self._sides(tree)
        first, second = left.select[0], right.select[0]
        assert isinstance(first, Col) and isinstance(second, Col)
        found = self._membership(first, second, right)
        if len(found) != 1:
            raise NotConvertedError("NOT IN over several conditions")
        plan = self._placed(left)
        return replace(plan, where=(*plan.where, Not(found[0])))

    def _intersect(self, tree: exp.Intersect) -> Plan:
        left, right = self._sides(tree)
        if left.select != right.select:
            raise NotConvertedError("an intersection of different columns")
        first = left.select[0]
        assert isinstance(first, Col)
        if any(isinstance(e, Col) and e.table != first.table for e in left.select):
            raise NotConvertedError("an intersection over several tables")
        where = [p for half in (left, right) for p in self._membership(first, first, half)]
        return Plan(left.select, tuple(dict.fromkeys(where)))

    def _union(self, tree: exp.Union) -> Plan:
        left, right = self._sides(tree)
        same = left.select == right.select and left.source.tables == right.source.tables
        if not same or len(left.preds) != 1 or len(right.preds) != 1 or left.having:
            raise NotConvertedError("a union")
        either = Or(left.preds[0], right.preds[0])
        return self._placed(
            replace(left, preds=(either,), distinct=bool(tree.args.get("distinct")))
        )


def _rate(measure: Expr) -> Expr:
    """``count(*) filter (where p) / count(*)`` as the rate that it is."""
    match measure:
        case Arithmetic("DIV", Only(Count(table), predicate), Count(whole)) if table == whole:
            return Rate(predicate)
    return measure
