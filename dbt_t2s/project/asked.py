"""What one statement asks of the tables it reads, as text: kept between runs while both hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.project import cases, equalities
from dbt_t2s.project.cases import Said
from dbt_t2s.project.known import Known, known_of
from dbt_t2s.project.node_sql import stamp
from dbt_t2s.project.origins import Origins, Unresolved
from dbt_t2s.project.schema import Relation, Table
from dbt_t2s.project.statements import Statement, Trees, is_injected
from dbt_t2s.sql import Scope, exp

# What is kept looks like this; a change of how SQL is read changes it too.
_FORMAT = 2


@dataclass(frozen=True)
class Condition:
    """A condition over bare ``columns`` of one table that rows must meet.

    ``tests_null`` says that it asks whether a value is there.
    """

    table: str
    text: str
    columns: tuple[str, ...]
    tests_null: bool = False


@dataclass(frozen=True)
class Term:
    """A label that a CASE over one table's columns gives where ``predicate`` holds."""

    table: str
    name: str
    predicate: str
    said: Said


@dataclass(frozen=True)
class Asked:
    """A statement, read. It holds while ``key`` is its SQL's and ``known`` that of ``relations``.

    ``relations`` are all that it names, ``tables`` the schema's tables that its queries select
    from. ``joins`` are the pairs of columns (``relation.column``) that each of its queries holds
    equal between two relations. ``problem`` says why it could not be read.
    """

    key: str
    relations: tuple[str, ...] = ()
    known: str = ""
    tables: tuple[str, ...] = ()
    joins: tuple[tuple[tuple[str, str], ...], ...] = ()
    conditions: tuple[Condition, ...] = ()
    terms: tuple[Term, ...] = ()
    problem: str = ""


class Asking:
    """Reads statements against a project's tables and the relations behind them, each once."""

    def __init__(
        self,
        tables: Sequence[Table],
        relations: Sequence[Relation],
        dialect: str,
        trees: Trees | None = None,
        remembered: Iterable[Asked] = (),
    ) -> None:
        """``remembered`` is what an earlier run read, of which what still holds is used."""
        self.dialect = dialect
        self._known = known_of(tables, relations, dialect)
        self._spelled = {
            table.name: {column.name.lower(): column.name for column in table.columns}
            for table in tables
        }
        self._trees = trees or Trees()
        self._stamps: dict[str, str] = {}
        self._read = {each.key: each for each in remembered if self._holds(each)}
        self._used: dict[str, Asked] = {}

    @property
    def readings(self) -> tuple[Asked, ...]:
        """What was asked for so far, for the next run to remember."""
        return tuple(self._used.values())

    def of(self, statements: Sequence[Statement]) -> tuple[tuple[str, Asked], ...]:
        """What each statement asks, by the id of its node."""
        return tuple((node, self._of(code)) for node, _, code in statements)

    def _of(self, code: str) -> Asked:
        key = stamp((_FORMAT, self.dialect, code))
        if key not in self._used:
            self._used[key] = self._read.get(key) or self._look(key, code)
        return self._used[key]

    def _holds(self, asked: Asked) -> bool:
        return asked.known == self._stamp(asked.relations)

    def _stamp(self, relations: Sequence[str]) -> str:
        for each in relations:
            if each not in self._stamps:
                name = self._known.names.get(each, "")
                spelled, known = self._spelled.get(name, {}), self._known.columns.get(each, {})
                self._stamps[each] = stamp((name, *spelled.values()) if name else tuple(known))
        return stamp([self._stamps[each] for each in relations])

    def _look(self, key: str, code: str) -> Asked:
        try:
            tree = self._trees.parse(code, self.dialect)
            scopes = self._trees.scopes(code, self.dialect)
            named = tuple(sorted({self._known.relation(each) for each in tree.find_all(exp.Table)}))
            query = _Query(scopes, self._known, self._spelled)
            return Asked(
                key,
                named,
                self._stamp(named),
                tuple(query.tables()),
                tuple(query.joins()),
                tuple(dict.fromkeys(query.conditions())),
                tuple(query.terms()),
            )
        except sql.SqlError as error:
            return Asked(key, known=self._stamp(()), problem=str(error).splitlines()[0])


class _Query:
    """The scopes of one statement, and where their columns come from."""

    def __init__(
        self, scopes: Sequence[Scope], known: Known, spelled: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._selects = [
            (each, each.expression) for each in scopes if isinstance(each.expression, exp.Select)
        ]
        self._known = known
        self._spelled = spelled
        # A key is the same whatever type it is cast to; what a condition says of it may not be.
        self._key = Origins(known)
        self._exact = Origins(known, exact=True)

    def tables(self) -> Iterator[str]:
        """The schema's tables that the queries select from, each once."""
        read = (
            self._known.names.get(self._known.relation(source), "")
            for scope, _ in self._selects
            for _, source in scope.selected_sources.values()
            if isinstance(source, exp.Table)
        )
        yield from dict.fromkeys(name for name in read if name)

    def joins(self) -> Iterator[tuple[tuple[str, str], ...]]:
        """Each query's pairs of columns held equal, in order, those of two relations together."""
        for scope, select in self._selects:
            if is_injected(select):
                continue
            between: dict[tuple[str, str], set[tuple[str, str]]] = {}
            for sides in equalities.find(scope, self._columns):
                placed = (self._place(side.scope, side.expression) for side in sides)
                ends = sorted(each for each in placed if each)
                if len(ends) == 2 and _relation(ends[0]) != _relation(ends[1]):
                    pair = (_relation(ends[0]), _relation(ends[1]))
                    between.setdefault(pair, set()).add((ends[0], ends[1]))
            for pairs in between.values():
                yield tuple(sorted(pairs))

    def _columns(self, table: exp.Table) -> Collection[str]:
        return self._known.columns.get(self._known.relation(table), ())

    def conditions(self) -> Iterator[Condition]:
        """The conditions of WHERE and inner joins that are over one table's columns alone."""
        for scope, select in self._selects:
            outer = _optional(select)
            for part in _row_conditions(select):
                yield from self._condition(scope, part, outer)

    def terms(self) -> Iterator[Term]:
        """The labels that the queries' CASE columns give, over the columns of one table."""
        dialect = self._known.dialect
        for scope, select in self._selects:
            for projection in select.selects:
                case = projection.unalias()
                placed = self._bare(scope, case) if isinstance(case, exp.Case) else None
                if placed is None or not projection.alias:
                    continue
                table, bare = placed
                for said in cases.labels(bare, dialect):
                    exact = said.condition or cases.whole(bare, said.label, dialect)
                    yield Term(table, projection.alias, exact, said)

    def _condition(
        self, scope: Scope, part: exp.Expr, outer: frozenset[str]
    ) -> Iterator[Condition]:
        columns = list(part.find_all(exp.Column))
        if not columns or part.find(exp.Query, exp.AggFunc, exp.Window):
            return
        tests_null = part.find(exp.Is) is not None
        if tests_null and any(column.table.lower() in outer for column in columns):
            return  # an outer join that found nothing says nothing about the table's rows
        found = self._bare(scope, part)
        if found is None:
            return
        table, bare = found
        names = tuple(dict.fromkeys(column.name for column in bare.find_all(exp.Column)))
        dialect = self._known.dialect
        for each in sql.conjuncts(sql.to_sql(bare, dialect), dialect):
            yield Condition(table, each, names, tests_null)

    def _place(self, scope: Scope, side: exp.Expr) -> str:
        """``relation.column`` of a side of an equality; empty where it is computed or unknown."""
        while isinstance(side, exp.Cast | exp.Paren):
            side = side.this
        if not isinstance(side, exp.Column):
            return ""
        try:
            relation, _, column = self._key.origin(scope, side).rpartition(".")
        except Unresolved:
            return ""
        return f"{relation}.{column.lower()}" if relation else ""

    def _bare(self, scope: Scope, part: exp.Expr) -> tuple[str, exp.Expr] | None:
        """A table, and a copy of ``part`` over its bare columns, where all of them are of it.

        None where they are of several tables, computed, or none at all.
        """
        places = [self._column(scope, each) for each in part.find_all(exp.Column)]
        tables = {table for table, _ in places}
        if len(tables) != 1 or "" in tables:
            return None
        copy = part.copy()
        for column, (_, name) in zip(list(copy.find_all(exp.Column)), places, strict=True):
            quoted = sql.quote(name, self._known.dialect) != name
            new = exp.column(exp.to_identifier(name, quoted=quoted))
            copy = new if column is copy else copy
            column.replace(new)
        return tables.pop(), copy

    def _column(self, scope: Scope, column: exp.Column) -> tuple[str, str]:
        """The schema's table and column that ``column`` is; empty where it is none."""
        try:
            relation, _, name = self._exact.origin(scope, column).rpartition(".")
        except Unresolved:
            return "", ""
        table = self._known.names.get(relation, "")
        spelled = self._spelled.get(table, {}).get(name.lower(), "")
        return (table, spelled) if spelled else ("", "")


def _relation(place: str) -> str:
    return place.rpartition(".")[0]


def _row_conditions(query: exp.Expr) -> Iterator[exp.Expr]:
    """What every row of a query must meet: its WHERE and its inner joins, part by part."""
    written = [query.args["where"].this] if query.args.get("where") else []
    written += [
        join.args["on"]
        for join in query.args.get("joins") or ()
        if not join.side and join.args.get("on")
    ]
    for condition in written:
        yield from sql.all_of(condition)


def _optional(query: exp.Expr) -> frozenset[str]:
    """The aliases that an outer join may leave empty."""
    joins = query.args.get("joins") or ()
    found = {join.alias_or_name.lower() for join in joins if join.side in ("LEFT", "FULL")}
    if any(join.side in ("RIGHT", "FULL") for join in joins):
        first = query.find(exp.From)
        found |= {first.alias_or_name.lower()} if first is not None else set()
    return frozenset(found)
