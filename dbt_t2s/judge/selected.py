"""What a SELECT over tables of the schema looks for, tells apart and takes the ends of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dbt_t2s import sql as language
from dbt_t2s.judge.sources import Known, Sources
from dbt_t2s.judge.wanted_values import COMPARISONS, Times, Wanted, literal, numbers_around, wanted
from dbt_t2s.project.schema import Kind, ProjectSchema, Role, Table
from dbt_t2s.sql import exp

# Ways in which rows come to count that are looked at.
_MOST_WAYS = 6
_PERIODS = ("WEEK", "MONTH", "QUARTER", "YEAR")


@dataclass(frozen=True)
class Around:
    """The query around ``x IN (select y …)`` or its denial, over ``table`` alone.

    ``column`` is x, ``own`` the source and the column that y is, ``conditions`` what else it asks.
    """

    table: Table
    column: str
    own: tuple[str, str]
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Inside:
    """``x IN (select y from table where …)``: ``source`` and ``column`` are x."""

    source: str
    column: str
    table: Table
    own: str
    where: str


@dataclass(frozen=True)
class Selected:
    """One SELECT over tables of the schema alone: ``tables`` by their names in it, in order.

    ``simple`` are its conditions on one column each as (source, column, SQL), ``others`` the rest,
    ``same_row`` those of the rest that read one source, as (source, columns, SQL). ``joined`` is
    its FROM clause with all joins, ``shown`` whether the columns that it shows or sums say
    something. All SQL is DuckDB's.

    ``lent`` is true of rows that the query around this one looks for in it and does not find there
    yet, while all else of that query holds: what is added here shows there. Empty where none is.

    ``told`` are the columns of texts and numbers by whose values it tells rows apart (DISTINCT,
    GROUP BY, count of distinct ones), as (source, column). ``counted`` is the
    number of rows that HAVING asks of a group, ``limit`` that of the groups that LIMIT takes; 0
    where there is none. ``periods`` are the dates by whose (source, column, unit) it groups,
    ``groups`` the values that a row alone in its group should have for HAVING.

    ``around`` is the query that this one is a subquery of, ``inside`` are its own subqueries.
    ``ends`` are the columns whose least (-1) or greatest (1) value shows: (source, column, which);
    ``cut`` where LIMIT takes the first rows alone. ``averages`` are the (source, column) that are
    compared with their own average.
    """

    tables: tuple[tuple[str, Table], ...]
    joined: str
    simple: tuple[tuple[str, str, str], ...]
    others: tuple[str, ...]
    same_row: tuple[tuple[str, frozenset[str], str], ...]
    wanted: tuple[Wanted, ...]
    shown: tuple[str, ...]
    lent: str
    told: tuple[tuple[str, str], ...]
    counted: int
    limit: int
    periods: tuple[tuple[str, str, str], ...]
    groups: tuple[Wanted, ...]
    ends: tuple[tuple[str, str, int], ...]
    cut: bool
    around: Around | None
    inside: tuple[Inside, ...]
    averages: tuple[tuple[str, str], ...]


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
    joined, compared, lent = _joined(select), wanted(select, sources), _lent(select, sources)
    places = {(each.source, each.column) for each in compared}
    compared += tuple(
        each for each in _flags(select, sources) if (each.source, each.column) not in places
    )
    filled, told = _shown(select, sources), _told(select, sources)
    periods, groups = _periods(select, sources), _groups(select, sources)
    ends, around = _ends(select, sources), _around(select, sources)
    inside, averages = tuple(_inside(select, sources)), tuple(_averages(select, sources))
    for parts in _conditions(select)[:_MOST_WAYS]:
        simple: list[tuple[str, str, str]] = []
        others: list[str] = []
        same_row: list[tuple[str, frozenset[str], str]] = []
        for part in parts:
            known = _only_column(part, sources)
            text = language.to_sql(part, "duckdb")
            if known is None:
                others.append(text)
                same_row += _of_one_source(part, text, sources)
            else:
                simple.append((known.source, known.column.name, text))
        yield Selected(
            tables,
            joined,
            tuple(simple),
            tuple(others),
            tuple(same_row),
            compared,
            filled,
            lent,
            told,
            _counted(select),
            _limit(select),
            periods,
            groups,
            ends,
            bool(select.args.get("limit")),
            around,
            inside,
            averages,
        )


def _flags(select: exp.Select, sources: Sources) -> Iterator[Wanted]:
    """Both values of what is grouped by, where it is true or false."""
    if select.args.get("group") is None:
        return
    for each in select.expressions:
        known = sources.column(each.unalias())
        if known is not None and known.column.kind is Kind.BOOLEAN:
            yield Wanted(known.source, known.column.name, (True, False))


def _periods(select: exp.Select, sources: Sources) -> tuple[tuple[str, str, str], ...]:
    """The dates by whose week, month, quarter or year the SELECT groups."""
    if select.args.get("group") is None or select.find(exp.RowNumber):
        return ()
    found: dict[tuple[str, str, str], None] = {}
    for each in select.expressions:
        inner = each.unalias()
        inner = inner.this if isinstance(inner, exp.Cast) else inner
        if isinstance(inner, exp.Year):
            unit = "YEAR"
        elif isinstance(inner, exp.TimestampTrunc | exp.DateTrunc):
            unit = str(inner.args["unit"].name).upper()
        else:
            continue
        known = sources.column(inner.this.unnest())
        if known is not None and unit in _PERIODS:
            found[known.source, known.column.name.lower(), unit.lower()] = None
    return tuple(found)


def _groups(select: exp.Select, sources: Sources) -> tuple[Wanted, ...]:
    """The values around n of ``having sum(x) > n``, of a group of one row."""
    having = select.args.get("having")
    found: dict[tuple[str, str], Wanted] = {}
    for part in language.all_of(having.this) if having is not None else []:
        if not isinstance(part, COMPARISONS):
            continue
        if isinstance(part.this, exp.Div):
            found |= _ratio(part, sources)
            continue
        if not isinstance(part.this, exp.Sum | exp.Avg | exp.Min | exp.Max):
            continue
        known, said = sources.column(part.this.this), literal(part.expression)
        if known is not None and said is not None and known.column.kind is Kind.NUMBER:
            values = tuple(numbers_around(said, known.column.type))
            place = (known.source, known.column.name)
            found[place] = Wanted(*place, values)
    return tuple(found.values())


def _ratio(part: exp.Expr, sources: Sources) -> dict[tuple[str, str], Wanted]:
    """The values of x around n of ``sum(x) * 1.0 / nullif(sum(y), 0) > n``, in a row with y."""
    above, below, said = part.this.this, part.this.expression, literal(part.expression)
    above = above.this if isinstance(above, exp.Mul) else above
    below = below.this if isinstance(below, exp.Nullif) else below
    if not (isinstance(above, exp.Sum) and isinstance(below, exp.Sum)):
        return {}
    own, other = sources.column(above.this), sources.column(below.this)
    if own is None or other is None or own.source != other.source:
        return {}
    if said is None or not said.isdigit() or own.column.name == other.column.name:
        return {}
    name, factor = other.column.name.lower(), int(said)
    values = (*(Times(name, factor, more) for more in (-1, 0, 1)), Times(name, factor + 1))
    return {(own.source, own.column.name): Wanted(own.source, own.column.name, values)}


def _ends(select: exp.Select, sources: Sources) -> tuple[tuple[str, str, int], ...]:
    """What MIN, MAX and ORDER BY with LIMIT look for the ends of."""
    found: dict[tuple[str, str, int], None] = {}

    def add(node: exp.Expr, which: int) -> None:
        known = sources.column(node)
        kinds = (Kind.NUMBER, Kind.DATE, Kind.TIMESTAMP)
        if known is not None and known.column.kind in kinds:
            found[known.source, known.column.name.lower(), which] = None

    for each in select.expressions:
        for node in each.find_all(exp.Min, exp.Max):
            add(node.this, 1 if isinstance(node, exp.Max) else -1)
    order = select.args.get("order")
    if order is not None and select.args.get("limit") and select.args.get("group") is None:
        first = order.expressions[0]
        names = {each.alias: each.unalias() for each in select.expressions if each.alias}
        said = first.this
        if isinstance(said, exp.Column) and not said.table:
            said = names.get(said.name, said)
        add(said, 1 if first.args.get("desc") else -1)
    return tuple(found)


def _around(select: exp.Select, sources: Sources) -> Around | None:
    inside = select.find_ancestor(exp.In)
    outer = inside.find_ancestor(exp.Select) if inside is not None else None
    if inside is None or outer is None or len(select.expressions) != 1:
        return None
    query = inside.args.get("query")
    around, own = sources.column(inside.this), sources.column(select.expressions[0].unalias())
    of = sources.of_select(outer)
    if query is None or query.unnest() is not select or around is None or own is None:
        return None
    if len(of) != 1 or outer.args.get("where") is None:
        return None
    parts = language.all_of(outer.args["where"].this)
    kept = [each for each in parts if each.find(exp.Select) is None]
    return Around(
        around.table,
        around.column.name.lower(),
        (own.source, own.column.name.lower()),
        tuple(language.to_sql(each, "duckdb") for each in kept),
    )


def _inside(select: exp.Select, sources: Sources) -> Iterator[Inside]:
    """The subqueries over one table that rows of the SELECT must be found by."""
    where = select.args.get("where")
    for part in language.all_of(where.this) if where is not None else []:
        query = part.args.get("query") if isinstance(part, exp.In) else None
        inner = query.unnest() if isinstance(query, exp.Expr) else None
        if not isinstance(inner, exp.Select) or len(inner.expressions) != 1:
            continue
        known, own = sources.column(part.this), sources.column(inner.expressions[0].unalias())
        plain = not inner.args.get("group") and not inner.args.get("joins")
        if known is None or own is None or not plain:
            continue
        inner_where = inner.args.get("where")
        said = "true" if inner_where is None else language.to_sql(inner_where.this, "duckdb")
        yield Inside(
            known.source, known.column.name.lower(), own.table, own.column.name.lower(), said
        )


def _averages(select: exp.Select, sources: Sources) -> Iterator[tuple[str, str]]:
    """x of ``x > (select avg(x) from …)`` over all rows of its table."""
    where = select.args.get("where")
    for part in language.all_of(where.this) if where is not None else []:
        query = part.expression if isinstance(part, COMPARISONS) else None
        inner = query.unnest() if isinstance(query, exp.Subquery) else None
        if not isinstance(inner, exp.Select) or len(inner.expressions) != 1:
            continue
        output = inner.expressions[0].unalias()
        plain = not any(inner.args.get(each) for each in ("where", "joins", "group"))
        if not isinstance(output, exp.Avg) or not plain:
            continue
        known, own = sources.column(part.this), sources.column(output.this)
        if known is None or own is None or known.table.name != own.table.name:
            continue
        if known.column.name == own.column.name:
            yield known.source, known.column.name.lower()


def _told(select: exp.Select, sources: Sources) -> tuple[tuple[str, str], ...]:
    """Columns of texts and numbers that tell rows or groups apart."""
    group = select.args.get("group")
    if any(node.find(exp.RowNumber) for node in select.find_all(exp.Window)):
        return ()  # which of equal groups it takes is not said: no more of those are made
    grouped = select.args.get("distinct") is not None or group is not None
    nodes: list[exp.Expr] = [each.unalias() for each in select.expressions] if grouped else []
    nodes += group.expressions if group is not None else []
    for each in select.expressions:
        for distinct in each.find_all(exp.Distinct):
            nodes += distinct.expressions
    found: dict[tuple[str, str], None] = {}
    for node in nodes:
        known = sources.column(node) if isinstance(node, exp.Column) else None
        if known is None or known.column.kind not in (Kind.TEXT, Kind.NUMBER):
            continue
        if known.column.unique or known.column.role in (Role.KEY, Role.FOREIGN_KEY):
            continue
        found[known.source, known.column.name.lower()] = None
    return tuple(found)


def _counted(select: exp.Select) -> int:
    """n of ``having count(…) > n``."""
    having = select.args.get("having")
    for part in language.all_of(having.this) if having is not None else []:
        if isinstance(part, COMPARISONS) and isinstance(part.this, exp.Count):
            said = literal(part.expression)
            if said is not None and said.isdigit():
                return int(said)
    return 0


def _limit(select: exp.Select) -> int:
    limit = select.args.get("limit")
    if not isinstance(limit, exp.Limit) or select.args.get("group") is None:
        return 0
    said = literal(limit.expression)
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
    return [*ways, parts]


def _sides(part: exp.Expr) -> list[exp.Expr]:
    """The sides of an OR; none where there is no OR."""
    inner = part.unnest()
    if not isinstance(inner, exp.Or):
        return []
    return [each for side in (inner.left, inner.right) for each in (_sides(side) or [side])]


def _shown(select: exp.Select, sources: Sources) -> tuple[str, ...]:
    """Whether the columns that the SELECT shows or sums say something, as SQL: not NULL, not 0."""
    found: dict[str, None] = {}
    for each in select.expressions:
        for node in each.find_all(exp.Column):
            known = sources.column(node)
            if known is not None:
                empty = "<> 0" if known.column.kind is Kind.NUMBER else "is not null"
                found[f"coalesce({language.to_sql(node, 'duckdb')} {empty}, false)"] = None
    return tuple(found)


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


def _of_one_source(
    part: exp.Expr, text: str, sources: Sources
) -> list[tuple[str, frozenset[str], str]]:
    """(source, columns, SQL) of a condition on several columns of one source."""
    if part.find(exp.Select) is not None:
        return []
    known = [sources.column(each) for each in part.find_all(exp.Column)]
    names = {each.source for each in known if each is not None}
    if len(names) != 1 or None in known:
        return []
    columns = frozenset(each.column.name.lower() for each in known if each is not None)
    return [(names.pop(), columns, text)]


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
