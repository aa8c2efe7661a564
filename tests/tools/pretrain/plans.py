"""Gold SQL as query plans: FROM, JOIN and GROUP BY are dropped, where the plan implies them."""

from __future__ import annotations

from dataclasses import replace

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Join, ProjectSchema
from dbt_t2s.query.bind import Binder, measures_of
from dbt_t2s.query.plan import (
    Agg,
    Arithmetic,
    Col,
    Compare,
    Count,
    Diff,
    Expr,
    Has,
    Measure,
    Not,
    Or,
    Order,
    Plan,
    Pred,
    is_measure,
)
from dbt_t2s.sql import exp
from tests.tools.pretrain.conditions import (
    OPERATORS,
    column_of,
    is_aggregate,
    measure,
    number,
    predicates,
    superlative,
)
from tests.tools.pretrain.half import Half, joins, points, tables_of
from tests.tools.pretrain.source import (
    NotConvertedError,
    Source,
    names_of,
    parsed,
    read_source,
)

_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Sub: "SUB", exp.Div: "DIV"}
_NAMING = frozenset(("name", "title", "label"))


class Converter:
    """Converts gold SQL over one schema; NotConvertedError says why a text has no plan."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._schema = schema
        self._names = names_of(schema)
        self._binder = Binder(schema)
        self._graph = self._binder.graph
        self._edges: set[Join] = set()

    def plan(self, text: str) -> Plan:
        self._edges = set()
        tree = parsed(text, self._names).unnest()
        if tree.args.get("with_"):
            raise NotConvertedError("a CTE")
        if isinstance(tree, exp.Select):
            plan = self._placed(self._half(tree))
        elif isinstance(tree, exp.Except):
            plan = self._except(tree)
        elif isinstance(tree, exp.Intersect):
            plan = self._intersect(tree)
        elif isinstance(tree, exp.Union):
            plan = self._union(tree)
        else:
            raise NotConvertedError("a statement of another kind")
        try:
            self._binder.sql(plan)
        except QueryPlanError as error:
            raise NotConvertedError("the binder refuses it") from error
        return plan

    # ---- one SELECT

    def _half(self, select: exp.Select) -> Half:
        source, conditions = read_source(select, self._names, self._schema)
        self._edges |= source.edges
        finest = self._finest(source)
        order, limit = self._order(select, source, finest)
        preds: list[Pred] = []
        for condition in conditions:
            best = superlative(condition, source)
            if best is None:
                preds.extend(predicates(condition, source, self._schema, self._member))
                continue
            if order is not None or limit is not None or len(conditions) > 1:
                raise NotConvertedError("a greatest or least among some rows")
            order, limit = Order(best[0], best[1]), "1"
        having = select.args.get("having")
        grouped = select.args.get("group")
        columns = list(grouped.expressions) if grouped else []
        half = Half(
            source,
            finest,
            tuple(self._expr(e, source, finest) for e in select.expressions),
            tuple(preds),
            tuple(source.column(c) for c in columns),
            self._having(having.this, source, finest) if having else (),
            order,
            limit,
            bool(select.args.get("distinct")),
        )
        return self._checked(half, bool(grouped))

    def _finest(self, source: Source) -> str:
        """The table that leads to all others along the gold's own joins."""
        tables = set(source.tables)
        pointed = {edge.to_table for edge in source.edges}
        free = tables - pointed
        if len(tables) == 1:
            return source.tables[0]
        if len(free) != 1:
            return ""
        return free.pop()

    def _expr(self, node: exp.Expr, source: Source, finest: str) -> Expr:
        node = node.unalias().unnest()
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            return source.column(node)
        if isinstance(node, exp.Star | exp.Column):
            raise NotConvertedError("SELECT *")
        return self._measure(node, source, finest)

    def _measure(self, node: exp.Expr, source: Source, finest: str) -> Measure:
        node = node.unnest()
        if type(node) in _ARITHMETIC and is_aggregate(node.this.unnest()):
            left, right = (self._measure(n, source, finest) for n in (node.this, node.expression))
            return Arithmetic(_ARITHMETIC[type(node)], left, right)
        if not is_aggregate(node):
            raise NotConvertedError("an expression that is no measure")
        if not finest:
            raise NotConvertedError("a measure over a join that multiplies rows")
        return measure(node, source, self._schema, finest)

    def _order(
        self, select: exp.Select, source: Source, finest: str
    ) -> tuple[Order | None, str | None]:
        ordered, limited = select.args.get("order"), select.args.get("limit")
        limit = number(limited.expression) if limited else None
        if not ordered:
            if limit is not None:
                raise NotConvertedError("LIMIT without ORDER BY")
            return None, None
        if len(ordered.expressions) != 1:
            raise NotConvertedError("several sort keys")
        by = ordered.expressions[0]
        key = by.this
        if isinstance(key, exp.Column) and not key.table:
            named = [e for e in select.expressions if e.alias and e.alias == key.name]
            key = named[0] if named else key
        return Order(self._expr(key, source, finest), bool(by.args.get("desc"))), limit

    def _having(self, node: exp.Expr, source: Source, finest: str) -> tuple[Compare, ...]:
        node = node.unnest()
        if isinstance(node, exp.And):
            return tuple(
                c
                for side in (node.this, node.expression)
                for c in self._having(side, source, finest)
            )
        if type(node) not in OPERATORS or not is_aggregate(node.this):
            raise NotConvertedError("HAVING of another kind")
        left = self._measure(node.this, source, finest)
        return (Compare(OPERATORS[type(node)], left, number(node.expression)),)

    def _checked(self, half: Half, grouped: bool) -> Half:
        """GROUP BY must be what the plan implies."""
        dims = {e for e in half.select if isinstance(e, Col)}
        measured = len(dims) < len(half.select) or bool(half.having)
        measured = measured or (half.order is not None and is_measure(half.order.by))
        if not grouped:
            if measured and dims:
                raise NotConvertedError("columns beside aggregates without GROUP BY")
            # One row has no order and no doubles.
            return replace(half, distinct=False) if measured else half
        identified = {d for g in half.group for d in dims if self._identifies(g, d)}
        if dims - set(half.group) - identified:
            raise NotConvertedError("columns that GROUP BY does not settle")
        loose = [g for g in half.group if g not in dims and not self._names_one(g, dims)]
        if loose:
            raise NotConvertedError("grouped by what is not selected")
        if not measured:
            return replace(half, distinct=half.distinct or not identified)
        return replace(half, distinct=False)

    def _identifies(self, key: Col, dim: Col) -> bool:
        """Whether the rows that share ``key`` share ``dim``, as they do below a key."""
        table = self._schema.table(key.table)
        if table.primary_key == (key.column,):
            return self._graph.reaches(key.table, dim.table)
        targets = [j.to_table for j in self._schema.joins if points(j, key)]
        return any(self._graph.reaches(t, dim.table) for t in targets)

    def _names_one(self, key: Col, dims: set[Col]) -> bool:
        return any(self._identifies(key, dim) for dim in dims)

    # ---- placing conditions

    def _placed(self, half: Half) -> Plan:
        plan = Plan(half.select, (), half.having, half.order, half.limit, None, half.distinct)
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
            named = frozenset(e.table for e in plan.select if isinstance(e, Col))
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
        named = frozenset(e.table for e in plan.select if isinstance(e, Col))
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
        if not set(path) <= self._edges:
            raise NotConvertedError("the binder would join along other columns")

    def _named(self, plan: Plan, near: tuple[Pred, ...]) -> set[str]:
        tables = {e.table for e in plan.select if isinstance(e, Col)}
        if plan.order and isinstance(plan.order.by, Col):
            tables.add(plan.order.by.table)
        for pred in near:
            tables |= tables_of(pred)
        return tables

    # ---- subqueries and sets

    def _member(self, of: Col, query: exp.Expr, source: Source, negated: bool) -> tuple[Pred, ...]:
        """``of [NOT] IN (query)`` as what the rows of its table have or are."""
        select = query.unnest()
        if not isinstance(select, exp.Select):
            raise NotConvertedError("IN over something other than a SELECT")
        half = self._half(select)
        if half.order or half.limit or len(half.select) != 1:
            raise NotConvertedError("IN over an ordered SELECT")
        column = half.select[0]
        if not isinstance(column, Col):
            raise NotConvertedError("IN over aggregates")
        found = self._membership(of, column, half)
        if not negated:
            return found
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
        self._edges.update(up, down)
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
        self._edges.update(up)
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
            half = self._half(side)
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
