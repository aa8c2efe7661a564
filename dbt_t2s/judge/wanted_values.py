"""What rows a query could be told from its near misses by: values around each of its literals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from dbt_t2s import sql as language
from dbt_t2s.judge.sources import Known, Sources
from dbt_t2s.project.schema import Kind, ProjectSchema, Role, Table
from dbt_t2s.sql import exp

# Of a column's other known values this many tell a filter on one of them from its near misses.
_OTHERS = 1
# Ways in which rows come to count that are looked at.
_MOST_WAYS = 6
_DAY = timedelta(days=1)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


@dataclass(frozen=True)
class Same:
    """The value that the row has in another column."""

    column: str


Value = date | datetime | Decimal | int | str | bool | Same | None


@dataclass(frozen=True)
class Wanted:
    """``values`` that rows of a column should have while all else of the query holds."""

    source: str
    column: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Selected:
    """One SELECT over tables of the schema alone: ``tables`` by their names in it, in order.

    ``simple`` are its conditions on one column each as (source, column, SQL), ``others`` the rest,
    ``joined`` is its FROM clause with all joins, ``shown`` the columns
    that it shows or sums. All SQL is DuckDB's.

    ``lent`` is true of rows that the query around this one looks for in it and does not find there
    yet, while all else of that query holds: what is added here shows there. Empty where none is.

    ``told`` are the columns of text by whose values it tells rows apart (DISTINCT, GROUP BY, count
    of distinct ones) and whose values no list closes, as (source, column). ``counted`` is the
    number of rows that HAVING asks of a group, ``limit`` that of the groups that LIMIT takes; 0
    where there is none.
    """

    tables: tuple[tuple[str, Table], ...]
    joined: str
    simple: tuple[tuple[str, str, str], ...]
    others: tuple[str, ...]
    wanted: tuple[Wanted, ...]
    shown: tuple[str, ...]
    lent: str
    told: tuple[tuple[str, str], ...]
    counted: int
    limit: int


def selected(gold: str, schema: ProjectSchema) -> tuple[Selected, ...]:
    """Every SELECT in ``gold``, a DuckDB statement, that reads tables of ``schema`` alone.

    One comes once for each way in which its rows can come to count: by each side of an OR, under
    each CASE WHEN.
    """
    tree = language.parse_one(gold, "duckdb")
    sources = Sources(tree, schema)
    return tuple(way for each in tree.find_all(exp.Select) for way in _ways(each, sources))


def _ways(select: exp.Select, sources: Sources) -> Iterator[Selected]:
    of = sources.of_select(select)
    tables = tuple((name, table) for name, table, _ in of if table is not None)
    if not tables or len(tables) != len(of) or len(dict(tables)) != len(of):
        return
    joined, wanted, lent = _joined(select), _wanted(select, sources), _lent(select, sources)
    filled, told = _shown(select, sources), _told(select, sources)
    for parts in _conditions(select)[:_MOST_WAYS]:
        simple: list[tuple[str, str, str]] = []
        others: list[str] = []
        for part in parts:
            known = _only_column(part, sources)
            text = language.to_sql(part, "duckdb")
            if known is None:
                others.append(text)
            else:
                simple.append((known.source, known.column.name, text))
        yield Selected(
            tables,
            joined,
            tuple(simple),
            tuple(others),
            wanted,
            filled,
            lent,
            told,
            _counted(select),
            _limit(select),
        )


def _told(select: exp.Select, sources: Sources) -> tuple[tuple[str, str], ...]:
    """Columns of text that tell rows or groups apart, whose values no list closes."""
    group = select.args.get("group")
    grouped = select.args.get("distinct") is not None or group is not None
    nodes: list[exp.Expr] = [each.unalias() for each in select.expressions] if grouped else []
    nodes += group.expressions if group is not None else []
    for each in select.expressions:
        for distinct in each.find_all(exp.Distinct):
            nodes += distinct.expressions
    found: dict[tuple[str, str], None] = {}
    for node in nodes:
        known = sources.column(node) if isinstance(node, exp.Column) else None
        if known is None or known.column.kind is not Kind.TEXT or known.column.values_complete:
            continue
        if known.column.unique or known.column.role in (Role.KEY, Role.FOREIGN_KEY):
            continue
        found[known.source, known.column.name.lower()] = None
    return tuple(found)


def _counted(select: exp.Select) -> int:
    """n of ``having count(…) > n``."""
    having = select.args.get("having")
    for part in language.all_of(having.this) if having is not None else []:
        if isinstance(part, _COMPARISONS) and isinstance(part.this, exp.Count):
            said = _literal(part.expression)
            if said is not None and said.isdigit():
                return int(said)
    return 0


def _limit(select: exp.Select) -> int:
    limit = select.args.get("limit")
    if not isinstance(limit, exp.Limit) or select.args.get("group") is None:
        return 0
    said = _literal(limit.expression)
    return int(said) if said is not None and said.isdigit() else 0


def _conditions(select: exp.Select) -> list[list[exp.Expr]]:
    """The lists of conditions by which rows come to count."""
    where = select.args.get("where")
    parts = language.all_of(where.this) if where is not None else []
    ways: list[list[exp.Expr]] = []
    for at, part in enumerate(parts):
        for side in _sides(part):
            ways.append([*parts[:at], *language.all_of(side), *parts[at + 1 :]])
    for node in language.walk(select):
        if isinstance(node, exp.If | exp.Filter) and node.find_ancestor(exp.Select) is select:
            said = node.expression.this if isinstance(node, exp.Filter) else node.this
            ways.append([*parts, *language.all_of(said)])
    return ways or [parts]


def _sides(part: exp.Expr) -> list[exp.Expr]:
    """The sides of an OR; none where there is no OR."""
    inner = part.unnest()
    if not isinstance(inner, exp.Or):
        return []
    return [each for side in (inner.left, inner.right) for each in (_sides(side) or [side])]


def _shown(select: exp.Select, sources: Sources) -> tuple[str, ...]:
    """The columns that the SELECT shows or sums, as SQL: rows that have them show more."""
    found = (node for each in select.expressions for node in each.find_all(exp.Column))
    known = ((node, sources.column(node)) for node in found)
    return tuple(dict.fromkeys(language.to_sql(node, "duckdb") for node, column in known if column))


def _joined(select: exp.Select) -> str:
    clause = exp.Select(expressions=[exp.Star()])
    clause.set("from_", select.args["from_"].copy())
    clause.set("joins", [each.copy() for each in select.args.get("joins") or ()])
    return language.to_sql(clause, "duckdb", used_up=True).partition("FROM ")[2]


def _lent(select: exp.Select, sources: Sources) -> str:
    """For ``x in (select y …)``: y is an x of the query around, which has not found it here."""
    around = select.find_ancestor(exp.In)
    outer = around.find_ancestor(exp.Select) if around is not None else None
    if around is None or outer is None or len(select.expressions) != 1:
        return ""
    where, query = outer.args.get("where"), around.args.get("query")
    if where is None or query is None or query.unnest() is not select:
        return ""
    if any(table is None for _, table, _ in sources.of_select(outer)):
        return ""
    parts = [each for each in language.all_of(where.this) if around not in language.walk(each)]
    kept = [language.to_sql(each, "duckdb") for each in parts]
    own = language.to_sql(select.expressions[0].unalias(), "duckdb")
    wanted = language.to_sql(around.this, "duckdb")
    inner = language.to_sql(select, "duckdb")
    kept.append(f"{wanted} NOT IN ({inner})")
    conditions = " AND ".join(f"({each})" for each in kept)
    return f"{own} IN (SELECT {wanted} FROM {_joined(outer)} WHERE {conditions})"


def _only_column(part: exp.Expr, sources: Sources) -> Known | None:
    """The one column that a condition reads."""
    if part.find(exp.Select) is not None:
        return None
    known = [sources.column(each) for each in part.find_all(exp.Column)]
    first = known[0] if known else None
    alike = all(
        each is not None
        and first is not None
        and (each.source, each.column.name) == (first.source, first.column.name)
        for each in known
    )
    return first if alike else None


def _wanted(select: exp.Select, sources: Sources) -> tuple[Wanted, ...]:
    """The columns that the SELECT itself compares, with the values they should have."""
    found: dict[tuple[str, str], dict[Value, None]] = {}
    for node in language.walk(select):
        if node.find_ancestor(exp.Select) is not select:
            continue
        for known, value in _of_node(node, sources):
            place = (known.source, known.column.name)
            found.setdefault(place, {})[value] = None
    return tuple(Wanted(*place, tuple(values)) for place, values in found.items())


def _of_node(node: exp.Expr, sources: Sources) -> Iterator[tuple[Known, Value]]:
    if isinstance(node, exp.Column):
        known = sources.column(node)
        if known is not None and known.column.kind is Kind.BOOLEAN and _is_condition(node):
            yield from ((known, True), (known, False))
    elif isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        known = sources.column(node.this)
        if known is not None and known.column.nullable:
            yield known, None
            yield from ((known, value) for value in _others(known, ()))
    elif isinstance(node, exp.Between):
        yield from _around(node.this, (node.args["low"], node.args["high"]), sources)
    elif isinstance(node, exp.In):
        yield from _around(node.this, tuple(node.expressions), sources)
    elif isinstance(node, exp.Like | exp.ILike):
        yield from _like(node, sources)
    elif isinstance(node, _COMPARISONS):
        own, other = sources.column(node.this), sources.column(node.expression)
        if own and other and own.source == other.source:
            yield own, Same(other.column.name.lower())
        yield from _around(node.this, (node.expression,), sources)


def _like(node: exp.Expr, sources: Sources) -> Iterator[tuple[Known, Value]]:
    """A known value that holds the pattern's words, and one that does not."""
    known, said = sources.column(node.this), _literal(node.expression)
    if known is None or said is None or known.column.kind is not Kind.TEXT:
        return
    words = said.strip("%").lower()
    holding = [each for each in known.column.values if words in each.lower()]
    yield from ((known, value) for value in holding[:1] or [said.strip("%")])
    yield from ((known, value) for value in _others(known, tuple(holding)))


def _is_condition(column: exp.Expr) -> bool:
    return isinstance(column.parent, exp.Where | exp.Not | exp.And | exp.Or | exp.If | exp.Is)


def _around(
    compared: exp.Expr, literals: tuple[exp.Expr, ...], sources: Sources
) -> Iterator[tuple[Known, Value]]:
    column = _inner_column(compared)
    known = sources.column(column) if column is not None else None
    if known is None:
        return
    texts = [text for text in (_literal(each) for each in literals) if text is not None]
    kind = known.column.kind
    if kind is Kind.BOOLEAN:
        yield from ((known, True), (known, False))
    for text in texts:
        if kind in (Kind.DATE, Kind.TIMESTAMP):
            values: Iterator[Value] = _days_around(compared, text, kind)
        elif kind is Kind.NUMBER and compared is column:
            values = _numbers_around(text, known.column.type)
        elif kind is Kind.TEXT and compared is column:
            values = iter((text,))
        else:
            continue
        yield from ((known, value) for value in values)
    if kind is Kind.TEXT:
        yield from ((known, value) for value in _others(known, tuple(texts)))


def _inner_column(node: exp.Expr) -> exp.Column | None:
    """The column itself, or the one that a function of dates is asked of."""
    if isinstance(node, exp.Column):
        return node
    dated = (exp.Cast, exp.TimestampTrunc, exp.DateTrunc, exp.Year, exp.Extract, exp.Date)
    if isinstance(node, dated):
        found = list(node.find_all(exp.Column))
        return found[0] if len(found) == 1 else None
    return None


def _literal(node: exp.Expr) -> str | None:
    inner = node.this if isinstance(node, exp.Cast | exp.Paren) else node
    if isinstance(inner, exp.Neg) and isinstance(inner.this, exp.Literal):
        return f"-{inner.this.name}"
    return inner.name if isinstance(inner, exp.Literal) else None


def _days_around(compared: exp.Expr, text: str, kind: Kind) -> Iterator[Value]:
    """The day before, the day itself and the day after; of a year or a month its ends."""
    if isinstance(compared, exp.Year | exp.Extract):
        if not (text.isdigit() and len(text) == 4):
            return
        first, last = date(int(text), 1, 1), date(int(text), 12, 31)
        days = [first - _DAY, first, last, last + _DAY]
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return
        day = moment.date()
        if kind is Kind.TIMESTAMP and moment.time() != time.min:
            yield from (moment - timedelta(seconds=1), moment, moment + timedelta(seconds=1))
            return
        days = [day - _DAY, day, day + _DAY]
        if isinstance(compared, exp.TimestampTrunc | exp.DateTrunc):
            days = [
                day - _DAY,
                day,
                _next_period(compared, day) - _DAY,
                _next_period(compared, day),
            ]
    for each in days:
        yield datetime.combine(each, time.min) if kind is Kind.TIMESTAMP else each
    if kind is Kind.TIMESTAMP and not isinstance(compared, exp.Year | exp.Extract):
        yield datetime.combine(days[0], time.max.replace(microsecond=0))
        yield datetime.combine(days[1], time(0, 0, 1))


def _next_period(truncated: exp.Expr, day: date) -> date:
    unit = str(truncated.args["unit"].name).upper()
    if unit == "WEEK":
        return day + 7 * _DAY
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}.get(unit)
    if months is None:
        return day + _DAY
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _numbers_around(text: str, column_type: str) -> Iterator[Value]:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return
    whole = "INT" in column_type.upper()
    step = Decimal(1) if whole or "(" not in column_type else _least_step(column_type)
    if whole and number != number.to_integral_value():
        number = number.to_integral_value()
    for each in (number - step, number, number + step):
        yield int(each) if whole else each


def _least_step(column_type: str) -> Decimal:
    """``DECIMAL(10,2)`` counts in hundredths."""
    scale = column_type.rstrip(") ").rpartition(",")[2].strip()
    return Decimal(1).scaleb(-int(scale)) if scale.isdigit() else Decimal(1)


def _others(known: Known, but: tuple[str, ...]) -> tuple[Value, ...]:
    """Known values of a text column that the query does not name."""
    if known.column.kind is not Kind.TEXT or known.column.personal:
        return ()
    later = sorted(known.column.values, key=lambda each: (each <= min(but, default=""), each))
    return tuple(each for each in later if each not in but)[:_OTHERS]
