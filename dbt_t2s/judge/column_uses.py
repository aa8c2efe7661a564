"""What a query asks of the columns that it reads: types, values, and what they equal."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from dbt_t2s import sql as language
from dbt_t2s.judge import conditions, json_paths
from dbt_t2s.judge.conditions import Condition
from dbt_t2s.judge.query_columns import CARRIES, Origin, Place, QueryColumns
from dbt_t2s.sql import Scope, exp

_EQUAL = (exp.EQ, exp.NullSafeEQ)
_COMPUTES = (
    exp.Sum, exp.Avg, exp.Mul, exp.Div, exp.Round, exp.Abs, exp.Stddev, exp.Median, exp.Add,
    exp.Sub,
)  # fmt: skip
_DATES = (
    exp.DateTrunc, exp.TimestampTrunc, exp.DateDiff, exp.TimestampDiff, exp.Extract, exp.DateAdd,
    exp.DateSub, exp.Year, exp.Month, exp.Day, exp.TsOrDsAdd, exp.TsOrDsDiff, exp.DayOfWeek,
)  # fmt: skip
_TEXTS = (exp.Lower, exp.Upper, exp.Trim, exp.Like, exp.ILike, exp.Length, exp.Substring)


class ColumnUses:
    """What the scopes of one query do with their columns."""

    def __init__(self, columns: QueryColumns) -> None:
        self._columns = columns

    def reads(self, scope: Scope) -> Iterator[Place]:
        """Every column of a node that the scope names."""
        for column in scope.columns:
            yield from (each.place for each in self._columns.origins(scope, column))

    def equal(self, scope: Scope) -> Iterator[tuple[Place, Place]]:
        """The columns that joins and conditions equate."""
        pairs = [(each.left, each.right) for each in scope.find_all(*_EQUAL)]
        for left, right in pairs:
            yield from self._pairs(
                self._columns.carried(scope, left), self._columns.carried(scope, right)
            )
        for join in scope.expression.args.get("joins") or ():
            for name in join.args.get("using") or ():
                sources = [source for _, source in scope.selected_sources.values()]
                of_all = [self._columns.of_source(s, name.name.lower()) for s in sources]
                held = [each for each in of_all if each]
                for one, other in itertools.pairwise(held):
                    yield from self._pairs(one, other)

    def _pairs(
        self, left: tuple[Origin, ...], right: tuple[Origin, ...]
    ) -> Iterator[tuple[Place, Place]]:
        for a in left:
            for b in right:
                if a.place != b.place and not a.scaled and not b.scaled:
                    yield a.place, b.place

    def types(self, scope: Scope) -> Iterator[tuple[Place, str]]:
        """The DuckDB types, or kinds of type, that casts and functions ask for."""
        for cast in scope.find_all(exp.Cast):
            if isinstance(cast.this, exp.Column) and not cast.to.is_type(*exp.DataType.TEXT_TYPES):
                written = language.to_sql(cast.to, "duckdb")
                yield from (
                    (each.place, written) for each in self._columns.origins(scope, cast.this)
                )
        for kind, functions in (("number", _COMPUTES), ("date", _DATES), ("text", _TEXTS)):
            for function in scope.find_all(*functions):
                parts = (function.this, function.args.get("expression"))
                for part in parts if kind != "text" else parts[:1]:
                    value = part.unnest() if isinstance(part, exp.Expr) else None
                    if isinstance(value, exp.Column):
                        yield from ((o.place, kind) for o in self._columns.origins(scope, value))
        for moment in scope.find_all(exp.UnixToTime, exp.UnixToStr):
            yield from ((o.place, "BIGINT") for o in self._columns.carried(scope, moment.this))
        for place, _ in self.paths(scope):
            yield place, "JSON"
        yield from self._lists_and_defaults(scope)
        for each in scope.find_all(exp.Div):
            # What is divided so comes in cents, which are whole.
            if each.expression.name in ("100", "100.0") and isinstance(each.this, exp.Column):
                yield from ((o.place, "BIGINT") for o in self._columns.origins(scope, each.this))

    def _lists_and_defaults(self, scope: Scope) -> Iterator[tuple[Place, str]]:
        """What is unnested is a list; what has a default has its type."""
        for unnested in scope.find_all(exp.Explode, exp.Unnest, exp.ArraySize):
            for value in (unnested.this, *unnested.expressions):
                if isinstance(value, exp.Column):
                    yield from ((o.place, "VARCHAR[]") for o in self._columns.origins(scope, value))
        for each in scope.find_all(exp.Coalesce):
            literals = [part for part in each.expressions if isinstance(part, exp.Literal)]
            if literals and isinstance(each.this, exp.Column):
                kind = "text" if literals[0].is_string else "number"
                yield from ((o.place, kind) for o in self._columns.origins(scope, each.this))

    def paths(self, scope: Scope) -> Iterator[tuple[Place, json_paths.Path]]:
        """The paths that are read of columns with half-structured data."""
        for each in scope.find_all(exp.JSONExtract, exp.JSONExtractScalar):
            read = json_paths.read(each)
            if read is not None and read[1]:
                yield from ((o.place, read[1]) for o in self._columns.origins(scope, read[0]))

    def formats(self, scope: Scope) -> Iterator[tuple[Place, str]]:
        """The strftime formats in which columns hold moments as text."""
        for each in scope.find_all(exp.StrToTime, exp.StrToDate, exp.StrToUnix):
            written = each.args.get("format")
            if isinstance(written, exp.Literal):
                yield from (
                    (o.place, written.name) for o in self._columns.carried(scope, each.this)
                )

    def compared(self, scope: Scope) -> Iterator[tuple[Place, Place]]:
        """The columns whose values are put in order with one another."""
        for each in scope.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between):
            bounds = (each.args.get("expression"), each.args.get("low"), each.args.get("high"))
            for bound in bounds:
                if isinstance(bound, exp.Expr):
                    yield from self._pairs(
                        self._columns.carried(scope, each.this), self._columns.carried(scope, bound)
                    )

    def scenario(self, scope: Scope) -> tuple[tuple[Place, Condition], ...]:
        """The conditions of WHERE and ON that compare a column with literals."""
        found: list[tuple[Place, Condition]] = []
        joins = [join.args.get("on") for join in scope.expression.args.get("joins") or ()]
        where = scope.expression.args.get("where")
        for condition in (where.this if where else None, *joins):
            for part in conditions.conjuncts(condition):
                read = conditions.read(part)
                if read is not None:
                    found += self._placed(scope, *read)
        return tuple(found)

    def seen(self, scope: Scope) -> Iterator[tuple[Place, Condition]]:
        """Every comparison of a column with literals, wherever it stands."""
        comparisons = [conditions.read(each) for each in scope.find_all(*conditions.COMPARISONS)]
        cases = [conditions.of_case(each) for each in scope.find_all(exp.Case)]
        for read in (*comparisons, *cases):
            if read is not None:
                yield from self._placed(scope, *read)

    def decoded(self, scope: Scope) -> Iterator[tuple[Place, tuple[str, ...]]]:
        """The values that a CASE without an ELSE knows: others become NULL."""
        for each in scope.find_all(exp.Case):
            read = conditions.of_case(each)
            if read is not None and each.args.get("default") is None:
                for place, condition in self._placed(scope, *read):
                    yield place, condition.values

    def _placed(
        self, scope: Scope, value: exp.Expr, condition: Condition
    ) -> Iterator[tuple[Place, Condition]]:
        while isinstance(value, (*CARRIES, exp.DateTrunc, exp.TimestampTrunc, exp.Coalesce)):
            value = value.this
        if isinstance(value, exp.Column):
            yield from ((each.place, condition) for each in self._columns.origins(scope, value))
