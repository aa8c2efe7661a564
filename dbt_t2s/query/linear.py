"""Plans as token sequences and back: the language the embedded model writes.

A token is a keyword, or an item with a one-letter sort before a colon: ``t:orders``,
``c:orders.status``, ``m:revenue``, ``r:active``, ``v:orders.status=returned``, ``n:5``,
``d:2026-01-01/2026-02-01``, ``s:coffee``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.query.plan import (
    AGGREGATES,
    ARITHMETIC,
    COMPARISONS,
    GRAINS,
    MINUS,
    PARTS,
    ROLLING,
    WEEKEND,
    WRAPPERS,
    Agg,
    Arithmetic,
    Average,
    AvgEach,
    Bucket,
    Col,
    Compare,
    Count,
    Diff,
    Dim,
    During,
    Expr,
    Flag,
    Has,
    Like,
    Measure,
    MetricRef,
    Not,
    Null,
    Only,
    Or,
    Order,
    Overall,
    Peers,
    Plan,
    Pred,
    Product,
    Range,
    Rate,
    Rolling,
    RuleRef,
    Time,
    Value,
    Weekdays,
    Wrapped,
    is_measure,
)

KEYWORDS = (
    "PAD", "START", "END", "REFUSE", "DISTINCT", "WHERE", "HAVING", "DESC", "ASC", "LIMIT", "ONE",
    "PER", "TIME", *GRAINS, *PARTS, "COUNT", *AGGREGATES, *WRAPPERS, *ARITHMETIC, "RATE",
    "AVG_EACH", "NOT", "OR", *COMPARISONS, "AVERAGE", "ON", "NULL", "HAS", "CLOSE", "LIKE",
    "ONLY", "DIFF",
)  # fmt: skip
SORTS = ("t", "c", "m", "r", "v", "n", "d", "s")
REFUSAL = ("REFUSE", "END")
# What ends a list of expressions or conditions.
_CLAUSES = ("HAVING", "DESC", "ASC", "LIMIT", "SKIP", "PER", "OF_TOTAL", "COUNTED", "END")
_BUCKETS = (*GRAINS, *PARTS, WEEKEND)
_LONGEST = 256  # reading recurses; people's questions need less than 50


def to_tokens(plan: Plan) -> tuple[str, ...]:
    """The plan's linear form, ``END`` included."""
    return tuple(_plan(plan))


def _plan(plan: Plan) -> Iterator[str]:
    if plan.distinct:
        yield "DISTINCT"
    for expression in plan.select:
        yield from _expr(expression)
    if plan.where:
        yield "WHERE"
        for pred in plan.where:
            yield from _pred(pred)
    if plan.having:
        yield "HAVING"
        for pred in plan.having:
            yield from _pred(pred)
    if plan.order:
        yield "DESC" if plan.order.descending else "ASC"
        yield from _expr(plan.order.by)
    if plan.limit is not None:
        yield "LIMIT"
        yield "ONE" if plan.limit == "1" else f"n:{plan.limit}"
    if plan.skip is not None:
        yield from ("SKIP", f"n:{plan.skip}")
    if plan.per:
        yield "PER"
        yield from _expr(plan.per)
    if plan.of_total:
        yield "OF_TOTAL"
    if plan.counted:
        yield "COUNTED"
    yield "END"


def _time(of: Col | Time) -> str:
    return "TIME" if isinstance(of, Time) else _col(of)


def _col(of: Col) -> str:
    return f"c:{of.table}.{of.column}"


def _row(of: Col | Diff | Product) -> Iterator[str]:
    if isinstance(of, Diff | Product):
        yield "DIFF" if isinstance(of, Diff) else "PRODUCT"
        yield _col(of.left)
        yield _col(of.right)
    else:
        yield _col(of)


def _expr(expression: Expr) -> Iterator[str]:
    match expression:
        case Col() | Diff():
            yield from _row(expression)
        case Bucket(grain, of):
            yield grain
            yield _time(of)
        case Agg(function, of):
            yield function
            yield from _row(of)
        case Count(table):
            yield "COUNT"
            yield f"t:{table}"
        case MetricRef(name):
            yield f"m:{name}"
        case Wrapped(function, inner):
            yield function
            yield from _expr(inner)
        case Rolling(function, periods, inner):
            yield from (function, f"n:{periods}")
            yield from _expr(inner)
        case Arithmetic(operator, left, right):
            yield operator
            yield from _expr(left)
            yield from _expr(right)
        case Rate(predicate):
            yield "RATE"
            yield from _pred(predicate)
        case Only(inner, predicate):
            yield "ONLY"
            yield from _expr(inner)
            yield from _pred(predicate)
        case AvgEach(inner, dim):
            yield "AVG_EACH"
            yield from _expr(inner)
            yield from _expr(dim)


def _average(average: Average) -> Iterator[str]:
    yield from ("AVERAGE_OVER", f"n:{average.times}")
    if average.of is not None:
        yield from ("AVG_EACH", _col(average.of))
    for pred in average.where:
        yield from _pred(pred)
    yield "CLOSE"


def _pred(pred: Pred) -> Iterator[str]:
    match pred:
        case Value(table, column, value):
            yield f"v:{table}.{column}={value}"
        case During(of, span):
            if not isinstance(of, Time):
                yield "ON"
                yield _col(of)
            yield f"d:{span.start}/{span.end}"
        case Weekdays(of, days):
            yield from ("WEEKDAYS", _time(of), f"s:{','.join(days)}")
        case RuleRef(name):
            yield f"r:{name}"
        case Flag(of):
            yield _col(of)
        case Not(inner):
            yield "NOT"
            yield from _pred(inner)
        case Or(left, right):
            yield "OR"
            yield from _pred(left)
            yield from _pred(right)
        case Compare(operator, left_side, right_side):
            yield operator
            yield from _expr(left_side)
            if isinstance(right_side, Col):
                yield _col(right_side)
            elif isinstance(right_side, Overall):
                yield "OVERALL"
            elif isinstance(right_side, Average):
                yield from _average(right_side)
            elif isinstance(right_side, Peers):
                yield "AVG_EACH"
                yield _col(right_side.of)
            else:
                yield "AVERAGE" if right_side is None else f"n:{right_side}"
        case Null(of):
            yield "NULL"
            yield _col(of)
        case Has(table, where):
            yield "HAS"
            yield f"t:{table}"
            for inner in where:
                yield from _pred(inner)
            yield "CLOSE"
        case Like(of, text):
            yield "LIKE"
            yield _col(of)
            yield f"s:{text}"


def from_tokens(tokens: Sequence[str]) -> Plan | None:
    """The plan that ``tokens`` spell; None for a refusal, QueryPlanError where they spell none."""
    if tuple(tokens) == REFUSAL:
        return None
    return _Reader(tokens).plan()


class _Reader:
    """Recursive descent over a token sequence."""

    def __init__(self, tokens: Sequence[str]) -> None:
        if len(tokens) > _LONGEST:
            raise QueryPlanError(f"a plan of more than {_LONGEST} tokens")
        self._tokens = tokens
        self._at = 0

    def plan(self) -> Plan:
        distinct = self._take_if("DISTINCT")
        select: list[Expr] = []
        while self._peek() not in (*_CLAUSES, "WHERE"):
            select.append(self._expr())
        where = self._preds() if self._take_if("WHERE") else ()
        having = self._preds() if self._take_if("HAVING") else ()
        order = None
        if self._peek() in ("DESC", "ASC"):
            descending = self._next() == "DESC"
            order = Order(self._expr(), descending)
        limit = None
        if self._take_if("LIMIT"):
            limit = "1" if self._take_if("ONE") else self._item("n")
        skip = self._item("n") if self._take_if("SKIP") else None
        per = self._dim() if self._take_if("PER") else None
        of_total, counted = self._take_if("OF_TOTAL"), self._take_if("COUNTED")
        if self._next() != "END" or not select or self._at != len(self._tokens):
            raise QueryPlanError("the plan has no end, goes on after it or selects nothing")
        return Plan(
            tuple(select), where, having, order, limit, per, distinct, skip, of_total, counted
        )

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            raise QueryPlanError("the plan breaks off")
        return self._tokens[self._at]

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _take_if(self, token: str) -> bool:
        if self._peek() == token:
            self._at += 1
            return True
        return False

    def _item(self, sort: str) -> str:
        token = self._next()
        if not token.startswith(f"{sort}:"):
            raise QueryPlanError(f"expected an item of sort {sort!r}, found {token!r}")
        return token[2:]

    def _column(self) -> Col:
        return column_of(self._item("c"))

    def _row(self) -> Col | Diff:
        if self._take_if("DIFF"):
            return Diff(self._column(), self._column())
        return self._column()

    def _dim(self) -> Dim:
        if self._peek() in _BUCKETS:
            return Bucket(self._next(), self._time())
        return self._row()

    def _time(self) -> Col | Time:
        return Time() if self._take_if("TIME") else self._column()

    def _expr(self) -> Expr:
        token = self._peek()
        if token.startswith("c:") or token == "DIFF" or token in _BUCKETS:
            return self._dim()
        return self._measure()

    def _measure(self) -> Measure:
        token = self._next()
        if token.startswith("m:"):
            return MetricRef(token[2:])
        if token == "COUNT":
            return Count(self._item("t"))
        if token in AGGREGATES:
            if self._take_if("PRODUCT"):
                return Agg(token, Product(self._column(), self._column()))
            return Agg(token, self._row())
        if token in WRAPPERS:
            return Wrapped(token, self._measure())
        if token in ROLLING:
            return Rolling(token, self._item("n"), self._measure())
        if token in ARITHMETIC or token == MINUS:
            return Arithmetic(token, self._measure(), self._measure())
        if token == "RATE":
            return Rate(self._pred())
        if token == "ONLY":
            return Only(self._measure(), self._pred())
        if token == "AVG_EACH":
            return AvgEach(self._measure(), self._dim())
        raise QueryPlanError(f"{token!r} cannot begin a measure")

    def _preds(self) -> tuple[Pred, ...]:
        preds: list[Pred] = []
        while self._peek() not in (*_CLAUSES, "CLOSE"):
            preds.append(self._pred())
        return tuple(preds)

    def _pred(self) -> Pred:
        token = self._next()
        sort, _, body = token.partition(":")
        if sort == "v" and body:
            return value_of(body)
        if sort == "d" and body:
            return During(Time(), range_of(body))
        if sort == "r" and body:
            return RuleRef(body)
        if sort == "c" and body:
            return Flag(column_of(body))
        if token == "NOT":
            return Not(self._pred())
        if token == "OR":
            return Or(self._pred(), self._pred())
        if token in COMPARISONS:
            return self._compare(token)
        if token == "ON":
            column = self._column()
            return During(column, range_of(self._item("d")))
        if token == "WEEKDAYS":
            of = self._time()
            return Weekdays(of, tuple(self._item("s").split(",")))
        if token == "NULL":
            return Null(self._column())
        if token == "LIKE":
            return Like(self._column(), self._item("s"))
        if token == "HAS":
            table = self._item("t")
            where = self._preds()
            if self._next() != "CLOSE":
                raise QueryPlanError("HAS without CLOSE")
            return Has(table, where)
        raise QueryPlanError(f"{token!r} cannot begin a condition")

    def _compare(self, operator: str) -> Compare:
        ahead = self._peek()
        is_row = ahead.startswith("c:") or ahead == "DIFF"
        left: Measure | Col | Diff = self._row() if is_row else self._measure()
        right: str | Col | Peers | Overall | Average | None = None
        if self._peek().startswith("c:"):
            right = self._column()
        elif self._take_if("OVERALL"):
            right = Overall()
        elif self._take_if("AVERAGE_OVER"):
            right = self._average()
        elif self._take_if("AVG_EACH"):
            right = Peers(self._column())
        elif not self._take_if("AVERAGE"):
            right = self._item("n")
        return Compare(operator, left, right)

    def _average(self) -> Average:
        times = self._item("n")
        of = self._column() if self._take_if("AVG_EACH") else None
        where = self._preds()
        if self._next() != "CLOSE":
            raise QueryPlanError("AVERAGE_OVER without CLOSE")
        return Average(times, of, where)


def column_of(body: str) -> Col:
    table, _, column = body.partition(".")
    return Col(table, column)


def value_of(body: str) -> Value:
    name, _, value = body.partition("=")
    column = column_of(name)
    return Value(column.table, column.column, value)


def range_of(body: str) -> Range:
    start, _, end = body.partition("/")
    return Range(start, end)


def has_aggregate(plan: Plan) -> bool:
    """Whether the plan's SELECT is grouped (by its dimensions)."""
    ordered = plan.order is not None and is_measure(plan.order.by)
    return ordered or bool(plan.having) or any(is_measure(e) for e in plan.select)


def table_of(token: str) -> str:
    """The table that a token points at or into; empty for metrics, rules and keywords."""
    return token[2:].partition("=")[0].partition(".")[0] if token[:2] in ("t:", "c:", "v:") else ""
