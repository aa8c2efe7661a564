"""From a query plan to SQL: FROM, JOIN and GROUP BY follow from what the plan names.

The SQL is DuckDB's; ``sql.transpile`` takes it to the project's own dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Join, ProjectSchema
from dbt_t2s.query.aliases import condition_alias, row_alias
from dbt_t2s.query.blocks import (
    Block,
    Output,
    either,
    ordered,
    piece,
    render,
    rolled,
    side_by_side,
    windowed,
    windows_over,
)
from dbt_t2s.query.checked import check, parts_of
from dbt_t2s.query.compiled import compiled_metrics, compiled_sql
from dbt_t2s.query.joins import JoinGraph
from dbt_t2s.query.lead_in import led_in
from dbt_t2s.query.linear import has_aggregate
from dbt_t2s.query.measures import Atom, Lowered, Measures
from dbt_t2s.query.naming import is_shared_name
from dbt_t2s.query.of_total import around_sql
from dbt_t2s.query.own_columns import differences, in_own_columns
from dbt_t2s.query.plan import (
    GRAINS,
    ROLLING,
    SUMMED,
    WEEKEND,
    Arithmetic,
    Average,
    AvgEach,
    Bucket,
    Col,
    Compare,
    Count,
    Diff,
    Dim,
    Measure,
    MetricRef,
    Not,
    Null,
    Only,
    Overall,
    Peers,
    Plan,
    Pred,
    Rate,
    Rolling,
    Time,
    Wrapped,
)
from dbt_t2s.query.plan_parts import (
    dims_of,
    is_with_average,
    limit_of,
    measures_of,
    names_one_row,
    table_of_expression,
)
from dbt_t2s.query.predicates import Predicates, common_filters
from dbt_t2s.query.said_included import CountedIn, LeftOut, counting_in
from dbt_t2s.query.said_joins import SaidJoins
from dbt_t2s.query.scope import column, quote
from dbt_t2s.query.totals import Totals, totals_of

_PARTS = {
    "DOW": "dayname({})",
    "HOUR": "extract(hour from {})",
    "MONTH_OF_YEAR": "extract(month from {})",
    WEEKEND: "case when dayname({0}) in ('Saturday', 'Sunday') then 'weekend' "
    "when not {0} is null then 'weekday' end",
}
_MEANINGS = 64  # of what questions say, that are kept ready
_Meaning = tuple[frozenset[Join], frozenset[str], frozenset[LeftOut]]


class Binder:
    """Turns plans over one schema into SQL; QueryPlanError where a plan makes no sense."""

    def __init__(self, schema: ProjectSchema) -> None:
        self.schema = schema
        self.graph = JoinGraph(schema)
        self.measures = Measures(schema)
        self.predicates = Predicates(schema, self.graph, self.measures)
        self.said_joins = SaidJoins(schema)
        self._tables = {table.name: table for table in schema.tables}
        known = (differences(table, schema.dialect) for table in schema.tables)
        self._differences = {pair: of for found in known for pair, of in found.items()}
        self.counted_in = CountedIn(schema)
        self._meaning: dict[_Meaning, Binder] = {}

    def asked(self, question: str) -> Binder:
        """The binder for plans of one question: of ways between two tables, that which it says,
        and no rule that leaves out what it counts in."""
        without, counted = self.said_joins.passed_over(question), self.counted_in.said(question)
        through = self.said_joins.through(question)
        if not without and not counted and not through:
            return self
        meant = (without, through, counted)
        if meant not in self._meaning:
            if len(self._meaning) >= _MEANINGS:
                self._meaning.clear()
            found = Binder(counting_in(self.schema, counted)) if counted else copy(self)
            found.graph = JoinGraph(self.schema, without, through)
            found.predicates = Predicates(found.schema, found.graph, found.measures)
            self._meaning[meant] = found
        return self._meaning[meant]

    def sql(self, plan: Plan) -> str:
        """DuckDB SQL for ``plan``."""
        check(plan, self._tables)
        plan = in_own_columns(plan, self._differences)
        if plan.of_total or plan.counted:
            return around_sql(plan, self.sql, self._alias_of)
        metrics = compiled_metrics(plan, self.measures)
        if metrics:
            return compiled_sql(plan, metrics, self.measures)
        if any(isinstance(e, AvgEach) for e in plan.select):
            return self._average_of_groups(plan)
        if not has_aggregate(plan):
            return self._listing(plan)
        roots = self.roots(plan)
        atoms = tuple(dict.fromkeys(a for m in measures_of(plan) for a in self.lower(m).atoms))
        totals = totals_of(plan, roots, atoms, self.measures.time_column)
        if len(totals) == 1:
            return self._grouped(plan, roots[0])
        return self._side_by_side(plan, totals, atoms)

    # ---- what a plan is about

    def roots(self, plan: Plan) -> tuple[str, ...]:
        """The tables whose rows the plan aggregates."""
        found = dict.fromkeys(
            atom.root for measure in measures_of(plan) for atom in self.lower(measure).atoms
        )
        if not found:
            raise QueryPlanError("the plan measures nothing")
        roots = tuple(found)
        return self._finer(plan, roots) if len(roots) == 1 else roots

    def root(self, plan: Plan) -> str | None:
        """The one table whose rows the plan aggregates; None where it lists rows or has several."""
        try:
            roots = self.roots(plan)
        except QueryPlanError:
            return None
        return roots[0] if len(roots) == 1 else None

    def _finer(self, plan: Plan, roots: tuple[str, ...]) -> tuple[str, ...]:
        """Rows counted once each may be counted from a finer table when a dimension needs it."""
        tables = frozenset(t for d in dims_of(plan) if (t := table_of_expression(d))) | set(roots)
        if all(self.graph.reaches(roots[0], table) for table in tables):
            return roots
        if not all(isinstance(m, Count) for m in measures_of(plan)):
            raise QueryPlanError(f"{roots[0]!r} cannot be grouped by a finer table")
        bridge = self.graph.bridge(tables)
        if bridge is None:
            raise QueryPlanError(f"no join leads to all of {', '.join(sorted(tables))}")
        return (bridge,)

    def lower(self, measure: Measure) -> Lowered:
        """A measure as SQL over atoms, windows and rates included."""
        match measure:
            case Wrapped(function, inner):
                lowered = self.lower(inner)
                if function in SUMMED and not lowered.adds_up:
                    raise QueryPlanError("a rate or an average has no total")
                return windowed(function, lowered)
            case Rolling(function, periods, inner):
                return rolled(ROLLING[function], periods, self.lower(inner))
            case Rate(predicate):
                table = self.predicates.table_of(predicate, "")
                if not table:
                    raise QueryPlanError("the rate does not say of what")
                return self.measures.rate(table, self.predicates.render(predicate, table))
            case Arithmetic(operator, left, right):
                return self.measures.combine(operator, self.lower(left), self.lower(right))
            case Only(inner, predicate):
                return self._only(self.lower(inner), predicate)
            case _:
                return self.measures.lower(measure)

    def _only(self, lowered: Lowered, predicate: Pred) -> Lowered:
        """The measure over the rows for which ``predicate`` holds."""

        def kept(atom: Atom) -> Atom:
            condition = self.predicates.render(predicate, atom.root, atom.time)
            # A rule that always holds gives way to what the condition says.
            narrowed = atom.under((condition,))
            return replace(narrowed, filters=(*narrowed.filters, condition))

        name = f"{lowered.name}_{condition_alias(predicate)}"
        return replace(lowered, atoms=tuple(map(kept, lowered.atoms)), name=name)

    # ---- dimensions

    def _dim(self, dim: Dim, time: Col | None) -> Output:
        if isinstance(dim, Col):
            return Output(column(dim), dim.column, dim)
        if isinstance(dim, Diff):
            return Output(self.measures.row(dim), row_alias(dim), dim)
        of = time if isinstance(dim.of, Time) else dim.of
        if of is None:
            raise QueryPlanError("nothing says which time is meant")
        if dim.grain in GRAINS:
            # date_trunc gives a timestamp, of dates too.
            sql = f"cast(date_trunc('{dim.grain.lower()}', {column(of)}) as date)"
        else:
            sql = _PARTS[dim.grain].format(column(of))
        return Output(sql, f"{of.column}_{dim.grain.lower()}", dim)

    # ---- plans without aggregates

    def _listing(self, plan: Plan) -> str:
        dims = tuple(e for e in plan.select if isinstance(e, Dim))
        named = frozenset(t for d in dims_of(plan) if (t := table_of_expression(d)))
        root = self.graph.bridge(named) if named else None
        if root is None:
            raise QueryPlanError(f"no join leads to all of {', '.join(sorted(named)) or 'nothing'}")
        time = self.measures.time_column(root)
        outputs = tuple(self._dim(d, time) for d in dims)
        order = ""
        if plan.order and isinstance(plan.order.by, Dim):
            order = ordered(self._dim(plan.order.by, time), outputs, plan.order.descending)
        said = tuple(self.predicates.render(p, root) for p in plan.where)
        shown = tuple(o.sql for o in outputs)
        one = names_one_row(plan, self._tables[root])
        counted = () if one else self.measures.counted(root, (*said, *shown))
        block = Block(
            root,
            outputs,
            where=tuple(dict.fromkeys((*counted, *said, *self._known(plan, outputs)))),
            order=order if not plan.per else "",
            limit=limit_of(plan) if not plan.per else "",
            distinct=plan.distinct or root not in named,
        )
        if block.distinct and plan.order and plan.order.by not in plan.select:
            raise QueryPlanError("distinct rows are ordered by what is selected")
        if plan.per:
            by = plan.order.by if plan.order else None
            ranked = self._dim(by, time) if isinstance(by, Dim) else None
            block = replace(block, qualify=self._qualify(plan, ranked, time))
        return render(block, self.schema, self.graph)

    # ---- plans with aggregates

    def _grouped(self, plan: Plan, root: str) -> str:
        lowered = [self.lower(m) for m in measures_of(plan)]
        time = lowered[0].atoms[0].time or self.measures.time_column(root)
        longer = None if plan.per else led_in(plan)
        plan = longer.plan if longer else plan
        said = tuple(self.predicates.render(p, root, time) for p in plan.where)
        hoisted = common_filters(tuple(a.under(said).filters for low in lowered for a in low.atoms))

        def measure(given: Measure) -> Output:
            low = self.lower(given)
            parts = tuple(self._atom_sql(atom.under(said), root, hoisted) for atom in low.atoms)
            return Output(low.fill(parts), low.name, given)

        outputs = self._outputs(plan, measure, time)
        read = (*said, *(output.sql for output in outputs))
        defined = any(isinstance(part, MetricRef) for part in parts_of(plan))
        joined = () if defined else self.measures.of_joined(root, read)
        conditions = (*sorted(hoisted), *joined, *said, *self._known(plan, outputs))
        order = self._order(plan, outputs, measure, time)
        shown = ""
        if longer:
            alias = next(o.alias for o in outputs if o.expression == longer.bucket)
            shown = f"{quote(alias)} >= date '{longer.start}'"
        block = Block(
            root,
            windows_over(outputs),
            where=tuple(dict.fromkeys(conditions)),
            group=True,
            having=tuple(self._having(p, plan, measure) for p in plan.having),
            order=order if not plan.per else "",
            limit=limit_of(plan) if not plan.per else "",
            qualify=shown,
            keys=self._keys_of(outputs),
        )
        if plan.per:
            if plan.per not in plan.select:
                raise QueryPlanError("a grouped result is ranked within what it selects")
            by = plan.order.by if plan.order else None
            if isinstance(by, Dim):
                ranked: Output | None = self._dim(by, time)
            else:
                ranked = measure(by) if by else None
            block = replace(block, qualify=self._qualify(plan, ranked, time))
        return render(block, self.schema, self.graph)

    def _known(self, plan: Plan, outputs: Sequence[Output]) -> tuple[str, ...]:
        """That what is ranked, averaged or listed once each has a name: nothing is no group."""
        ranked = plan.limit is not None and has_aggregate(plan)
        if not (plan.distinct or ranked or any(map(is_with_average, plan.having))):
            return ()
        shown = (o.expression for o in outputs if isinstance(o.expression, Col))
        return tuple(f"{column(of)} is not null" for of in shown if self._has_gaps(of))

    def _has_gaps(self, of: Col) -> bool:
        return bool(self._tables[of.table].column(of.column).null_share)

    def with_names(self, where: tuple[Pred, ...], dims: Sequence[Dim]) -> tuple[Pred, ...]:
        """``where``, and that groups which are averaged have a name: the rest are no group."""
        gaps = (of for of in dims if isinstance(of, Col) and self._has_gaps(of))
        return tuple(dict.fromkeys((*where, *(Not(Null(of)) for of in gaps))))

    def _keys_of(self, outputs: Sequence[Output]) -> tuple[str, ...]:
        """Keys of what is named by a name that several may bear: two customers, one name."""
        named = (o.expression for o in outputs if isinstance(o.expression, Col))
        return tuple(
            column(Col(of.table, self._tables[of.table].primary_key[0]))
            for of in named
            if is_shared_name(self._tables[of.table], of.column)
        )

    def _atom_sql(self, atom: Atom, root: str, hoisted: frozenset[str]) -> str:
        if atom.root == root:
            return atom.sql(hoisted)
        table = self._tables[atom.root]
        keys = [k for k in table.primary_key if table.column(k).unique] or list(table.primary_key)
        if not keys or (len(keys) > 1 and not table.column(keys[0]).unique):
            raise QueryPlanError(f"{atom.root!r} has no single key to count by")
        counted = replace(atom, function="count_distinct", argument=column(Col(atom.root, keys[0])))
        return counted.sql(hoisted)

    def _outputs(
        self, plan: Plan, measure: Callable[[Measure], Output], time: Col | None
    ) -> tuple[Output, ...]:
        found: list[Output] = []
        for expression in plan.select:
            made = (
                self._dim(expression, time) if isinstance(expression, Dim) else measure(expression)
            )
            taken = {o.alias for o in found}
            alias = made.alias
            if alias in taken:
                alias = f"{table_of_expression(made.expression) or 'other'}_{alias}"
            found.append(replace(made, alias=alias))
        return tuple(found)

    def _alias_of(self, plan: Plan) -> str:
        """What the first rows are ordered by is called in the result."""
        if plan.order is None:
            raise QueryPlanError("a share of the total is that of the first few")
        by = plan.order.by
        if isinstance(by, Dim) and not isinstance(by, Bucket):
            return self._dim(by, None).alias
        if isinstance(by, Bucket) or not self.lower(by).adds_up:
            raise QueryPlanError("a share of the total is that of what adds up")
        return self.lower(by).name

    def _order(
        self,
        plan: Plan,
        outputs: Sequence[Output],
        measure: Callable[[Measure], Output],
        time: Col | None,
    ) -> str:
        if plan.order:
            by = plan.order.by
            if isinstance(by, Dim) and by not in plan.select:
                raise QueryPlanError("a grouped result is ordered by what it selects")
            made = self._dim(by, time) if isinstance(by, Dim) else measure(by)
            return ordered(made, outputs, plan.order.descending)
        for output in outputs:
            if isinstance(output.expression, Bucket) and output.expression.grain in GRAINS:
                return ordered(output, outputs, False)
        return ""

    def _having(self, pred: Pred, plan: Plan, measure: Callable[[Measure], Output]) -> str:
        if not isinstance(pred, Compare) or isinstance(pred.left, Col | Diff):
            raise QueryPlanError("HAVING compares measures only")
        if isinstance(pred.left, Wrapped) and isinstance(pred.right, str):
            return self._share(pred.left, pred.operator, pred.right, plan, measure)
        left = measure(pred.left)
        if isinstance(pred.right, Col | Peers):
            raise QueryPlanError("HAVING compares with numbers only")
        if isinstance(pred.right, Overall):
            whole = self.sql(Plan((pred.left,), where=plan.where))
            return f"{left.sql} {self.predicates.operator(pred.operator)} (\n{whole}\n)"
        if isinstance(pred.right, str):
            return self.predicates.comparison(left.sql, pred.operator, pred.right)
        dims = tuple(e for e in plan.select if isinstance(e, Dim))
        inner = self.sql(Plan((*dims, pred.left), where=self.with_names(plan.where, dims)))
        average = f"(\nselect avg({quote(left.alias)}) from (\n{inner}\n) as per_group\n)"
        if isinstance(pred.right, Average):
            average = f"{pred.right.times} * {average}"
        return f"{left.sql} {self.predicates.operator(pred.operator)} {average}"

    def _share(
        self,
        share: Wrapped,
        operator: str,
        number: str,
        plan: Plan,
        measure: Callable[[Measure], Output],
    ) -> str:
        """Groups picked by their share of the whole, of which what has no group is a part."""
        if share.function != "SHARE" or not self.lower(share.of).adds_up:
            raise QueryPlanError("HAVING compares a share of what adds up")
        whole = self.sql(Plan((share.of,), where=plan.where))
        part = self.predicates.operator(operator)
        return f"{measure(share.of).sql} * 1.0 {part} {number} * (\n{whole}\n)"

    def _qualify(self, plan: Plan, ranked: Output | None, time: Col | None) -> str:
        if plan.per is None or plan.order is None or ranked is None:
            raise QueryPlanError("rows per group need an order")
        by = ranked.sql
        per = self._dim(plan.per, time).sql
        way = "desc" if plan.order.descending else "asc"
        return f"row_number() over (partition by {per} order by {by} {way}) <= {plan.limit or 1}"

    def _average_of_groups(self, plan: Plan) -> str:
        each = plan.select[0]
        if not isinstance(each, AvgEach) or plan != Plan((each,), plan.where, plan.having):
            raise QueryPlanError("an average over groups stands alone")
        where = self.with_names(plan.where, (each.dim,))
        inner = self.sql(Plan((each.dim, each.of), where=where, having=plan.having))
        alias = self.lower(each.of).name
        return f"select avg({quote(alias)}) as average_{alias}\nfrom (\n{inner}\n) as per_group"

    def _side_by_side(self, plan: Plan, apart: tuple[Totals, ...], atoms: tuple[Atom, ...]) -> str:
        """One CTE for each of the totals, grouped by the same dimensions, joined on them."""
        if plan.per or any(map(is_with_average, plan.having)):
            raise QueryPlanError("rows per group need measures of one table")
        dims = tuple(e for e in plan.select if isinstance(e, Dim))
        names = tuple(f"by_{i}" if len(dims) > 1 else "by_group" for i, _ in enumerate(dims))
        totals = [each.name for each in apart]
        ctes = [self._totals(each, atoms, dims, names, plan) for each in apart]
        name_of = {a: next(each.name for each in apart if each.has(a)) for a in atoms}

        def measure(given: Measure) -> Output:
            low = self.lower(given)
            parts = tuple(f"{quote(name_of[a])}.{piece(a, atoms)}" for a in low.atoms)
            return Output(low.fill(parts), low.name, given)

        outputs: list[Output] = []
        for expression in plan.select:
            if isinstance(expression, Dim):
                name = names[dims.index(expression)]
                made = self._dim(expression, atoms[0].time)
                taken = {o.alias for o in outputs}
                alias = made.alias
                if alias in taken:
                    alias = f"{table_of_expression(expression) or 'other'}_{alias}"
                outputs.append(Output(either(totals, name), alias, expression))
            else:
                outputs.append(measure(expression))
        lines = ["with " + ",\n".join(ctes)]
        listed = windows_over(tuple(outputs))
        lines.append("select " + ",\n".join(f"{o.sql} as {quote(o.alias)}" for o in listed))
        lines.append(side_by_side(totals, names))
        having = [self._having(p, plan, measure) for p in plan.having]
        if having:
            lines.append("where " + " and ".join(having))
        order = self._order(plan, outputs, measure, atoms[0].time)
        if order:
            lines.append(f"order by {order}")
        if plan.limit:
            lines.append(f"limit {limit_of(plan)}")
        return "\n".join(lines)

    def _totals(
        self,
        totals: Totals,
        atoms: tuple[Atom, ...],
        dims: tuple[Dim, ...],
        names: tuple[str, ...],
        plan: Plan,
    ) -> str:
        root, added = totals.root, [a for a in atoms if totals.has(a)]
        time = added[0].time or self.measures.time_column(root)
        said = tuple(self.predicates.render(p, root, time) for p in plan.where)
        own = {a: a.under(said) for a in added}
        hoisted = common_filters(tuple(a.filters for a in own.values()))
        outputs = tuple(
            replace(self._dim(d, time), alias=n) for d, n in zip(dims, names, strict=True)
        )
        pieces = tuple(
            Output(made.sql(hoisted), piece(a, atoms), Count(root)) for a, made in own.items()
        )
        where = (*sorted(hoisted), *said)
        block = Block(root, (*outputs, *pieces), where=where, group=bool(dims))
        return f"{quote(totals.name)} as (\n{render(block, self.schema, self.graph)}\n)"
