"""A statement, read: its queries as facts, and why some of them could not be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

from dbt_t2s import skeletons, sql
from dbt_t2s.corpus import clauses
from dbt_t2s.project.known import Known
from dbt_t2s.project.origins import Origins, Unresolved
from dbt_t2s.project.schema import Role
from dbt_t2s.project.statements import is_injected
from dbt_t2s.sql import Scope, exp
from dbt_t2s.store import fingerprint

# What a reading looks like; a change of how SQL is read changes it too.
_FORMAT = 3
_LONGEST = 200
_QUOTED = re.compile(r"'[^']*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_JINJA_LEFT = "Jinja that was not compiled"
_SLOTS = {
    Role.KEY: "_key",
    Role.FOREIGN_KEY: "_key",
    Role.CATEGORY: "_category",
    Role.MEASURE: "_measure",
    Role.TIME: "_time",
    Role.FLAG: "_flag",
}


@dataclass(frozen=True)
class Query:
    """One scope of a statement that does more than pass columns on.

    ``skeleton`` is its shape with typed slots, ``instance`` its SQL without the CTEs before it,
    ``template`` what it does in general (see ``templates``); the rest are ``Pattern``'s fields.
    """

    skeleton: str
    instance: str
    template: str
    tables: tuple[str, ...]
    join_path: str
    joins: tuple[str, ...]
    filters: tuple[str, ...]
    aggregations: tuple[str, ...]
    groupings: tuple[str, ...]
    windows: tuple[str, ...]
    dates: tuple[str, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """Why a query could not be read: the kind of trouble, and all of it.

    ``scopes`` is 0 where there was no query to read: no SQL at all, or a command.
    """

    reason: str
    detail: str
    scopes: int = 1


@dataclass(frozen=True)
class Reading:
    """What one statement says.

    It holds as long as ``key`` is that of its SQL and ``known`` the fingerprint of what the schema
    says about the ``relations`` it names.
    """

    key: str
    relations: tuple[str, ...]
    known: str
    queries: tuple[Query, ...]
    failures: tuple[Failure, ...]

    def holds(self, known: Known) -> bool:
        """Whether reading the statement again would give the same."""
        return self.known == _fingerprint(self.relations, known)


def key_of(code: str, dialect: str, *, masked: bool = False) -> str:
    """The key of a statement's reading."""
    return fingerprint([_FORMAT, dialect, masked, code])


def read(code: str, known: Known, tree: exp.Expr | None = None, *, masked: bool = False) -> Reading:
    """What ``code`` (one statement or several) says; never fails on what is in it.

    ``tree`` is its parse tree where that is at hand; it is used up. Where ``masked``, literals are
    kept only where they stand with columns that are known to hold no personal data.
    """
    key = key_of(code, known.dialect, masked=masked)

    def unread(why: Failure) -> Reading:
        return Reading(key, (), _fingerprint((), known), (), (why,))

    # First, because DuckDB reads some of it as structs.
    if _has_jinja(code):
        return unread(Failure(_JINJA_LEFT, "there is Jinja in it that was not compiled"))
    try:
        trees = (tree,) if tree else sql.parse(code, known.dialect, sql.LONGEST_TRUSTED)
    except sql.SqlError as error:
        why = f"its SQL cannot be read: {_first_line(error)}"
        return unread(Failure("SQL that cannot be read", why))
    if not trees:
        return unread(Failure("no SQL", "there is no SQL in it", scopes=0))
    queries: list[Query] = []
    failures: list[Failure] = []
    relations: set[str] = set()
    for tree in trees:
        relations.update(known.relation(each) for each in tree.find_all(exp.Table))
        try:
            _read_tree(tree, known, queries, failures, masked=masked)
        except sql.SqlError as error:
            failures.append(Failure("SQL that cannot be read", _first_line(error)))
    names = tuple(sorted(relations))
    return Reading(key, names, _fingerprint(names, known), tuple(queries), tuple(failures))


def _fingerprint(relations: Sequence[str], known: Known) -> str:
    facts = [
        [
            known.names.get(each, ""),
            sorted(known.columns[each].items()),
            sorted(known.public.get(known.names.get(each, ""), ())),
        ]
        for each in relations
        if each in known.columns
    ]
    return fingerprint(facts)


def _has_jinja(code: str) -> bool:
    return bool(_JINJA.search(code)) and bool(_JINJA.search(_QUOTED.sub("", code)))


def _first_line(error: sql.SqlError) -> str:
    # sqlglot underlines the place with terminal codes, which no file should hold.
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).partition("\n")[0].rstrip(". ")


def _read_tree(
    tree: exp.Expr, known: Known, queries: list[Query], failures: list[Failure], *, masked: bool
) -> None:
    if isinstance(tree, exp.Command):
        name = tree.name or "command"
        failures.append(Failure("no query", f"a {name} statement is no query", scopes=0))
        return
    sql.match_ctes(tree)
    chosen = [scope for scope in sql.scopes(tree) if _counts(scope.expression)]
    if not chosen and not sql.is_select(tree):
        name = type(tree).__name__.upper()
        if isinstance(tree, exp.Pivot):  # DuckDB's own kind of query
            failures.append(Failure("no SELECT", f"a {name} statement is no SELECT"))
        else:
            failures.append(Failure("no query", f"a {name} statement is no query", scopes=0))
        return
    origins = Origins(known)
    nodes = [list(clauses.own(scope.expression)) for scope in chosen]
    places = _places(chosen, nodes, origins)
    if masked:
        _mask(nodes, places, known)
    instances = [_text(scope.expression, known.dialect) for scope in chosen]
    parts = [_parts(scope, own, places, origins) for scope, own in zip(chosen, nodes, strict=True)]
    # Columns first go under the names of their tables, then into slots, all in place: copies of
    # trees would cost more than reading them.
    kinds = _rename(places, known)
    facts = [None if isinstance(each, Unresolved) else _facts(each, known, kinds) for each in parts]
    tables = [origins.tables(scope) for scope in chosen]
    skeletons.fill_slots(tree, kinds)
    for index, (part, fact) in enumerate(zip(parts, facts, strict=True)):
        if isinstance(part, Unresolved):
            failures.append(Failure(part.reason, str(part)))
        if isinstance(part, Unresolved) or fact is None:
            continue
        path = " → ".join(known.name(each) for each in part.path)
        queries.append(
            Query(
                skeleton=_text(chosen[index].expression, known.dialect),
                instance=instances[index],
                template=_template(path, part, known, kinds),
                tables=_unique(known.name(each) for each in tables[index]),
                join_path=path,
                **fact,
            )
        )


def _counts(node: exp.Expr) -> bool:
    return clauses.says_something(node) and not is_injected(node)


Places = Mapping[int, tuple[exp.Column, str | Unresolved]]


def _places(
    scopes: Sequence[Scope], nodes: Sequence[Sequence[exp.Expr]], origins: Origins
) -> Places:
    """The queries' own columns with where each comes from, by the id of its node.

    ``scopes`` come inner ones first, so that no chain of CTEs is followed from its far end.
    """
    found: dict[int, tuple[exp.Column, str | Unresolved]] = {}
    for scope, own in zip(scopes, nodes, strict=True):
        for node in own:
            if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                try:
                    found[id(node)] = node, origins.origin(scope, node)
                except Unresolved as why:
                    found[id(node)] = node, why
    return found


_CLAUSES = (exp.Connector, exp.Where, exp.Having, exp.Qualify, exp.Join, exp.Query)


def _mask(nodes: Sequence[Sequence[exp.Expr]], places: Places, known: Known) -> None:
    """Takes out, in place, the literals that may be somebody's name or number."""
    for literal in (each for own in nodes for each in own if isinstance(each, exp.Literal)):
        whole: exp.Expr = literal
        while whole.parent is not None and not isinstance(whole.parent, _CLAUSES):
            whole = whole.parent
        for column in clauses.own(whole):
            place = places.get(id(column))
            if place is not None and not (isinstance(place[1], str) and known.is_public(place[1])):
                literal.args["this"] = "…" if literal.is_string else "0"
                break


def _text(node: exp.Expr, dialect: str) -> str:
    """``node`` as SQL without the CTEs that come before it."""
    ctes = node.args.pop("with_", None)
    try:
        return sql.to_sql(node, dialect)
    finally:
        if ctes is not None:
            node.args["with_"] = ctes


class _Parts(NamedTuple):
    """The nodes that a query's facts are written from.

    ``pairs`` are the (relation.column, relation.column) of its joins, ``path`` their relations.
    """

    pairs: tuple[tuple[str, str], ...]
    path: tuple[str, ...]
    filters: tuple[tuple[exp.Column, str, str], ...]
    aggregations: tuple[exp.Expr, ...]
    groupings: tuple[exp.Expr, ...]
    windows: tuple[exp.Expr, ...]
    dates: tuple[tuple[str, exp.Expr | None], ...]
    conditions: tuple[exp.Expr, ...]


def _parts(
    scope: Scope, nodes: Sequence[exp.Expr], places: Places, origins: Origins
) -> _Parts | Unresolved:
    """What a query does, or the first column that its facts need and that has no known source."""
    node = scope.expression
    try:
        pairs = (*origins.merged(scope), *_pairs(node, places))
    except Unresolved as unknown:
        return unknown
    found = _Parts(
        pairs=pairs,
        path=_unique(end.rpartition(".")[0] for pair in pairs for end in pair),
        filters=tuple(clauses.comparisons(node)),
        aggregations=tuple(each for each in nodes if isinstance(each, exp.AggFunc)),
        groupings=tuple(clauses.groupings(node, nodes)),
        windows=tuple(each for each in nodes if isinstance(each, exp.Window)),
        dates=tuple(clauses.dates(nodes)),
        conditions=tuple(clauses.conditions(node, nodes)),
    )
    needed: list[exp.Expr] = [*found.aggregations, *found.windows, *found.groupings]
    needed += [*found.conditions, *clauses.join_conditions(node)]
    needed += [column for column, _, _ in found.filters]
    needed += [each for _, each in found.dates if each is not None]
    for each in needed:
        for column in clauses.own(each):
            why = places[id(column)][1] if id(column) in places else ""
            if isinstance(why, Unresolved):
                return why
    return found


def _pairs(node: exp.Expr, places: Places) -> Iterator[tuple[str, str]]:
    """The columns of two relations that a join sets equal."""
    for part in clauses.join_conditions(node):
        sides = (part.this, part.expression) if isinstance(part, exp.EQ) else ()
        ends = [places[id(side)][1] for side in sides if id(side) in places]
        if len(ends) == 2 and ends[0] != ends[1]:
            left, right = ends
            if isinstance(left, str) and isinstance(right, str) and left and right:
                yield left, right


def _rename(places: Places, known: Known) -> dict[int, str]:
    """Puts columns under the names of their tables, in place; the slots of all columns."""
    kinds: dict[int, str] = {}
    for key, (column, place) in places.items():
        if isinstance(place, Unresolved) or not place:
            continue
        role = known.role(place)
        if role in _SLOTS:
            kinds[key] = _SLOTS[role]
        relation, _, name = place.rpartition(".")
        column.args.update(
            this=exp.to_identifier(name),
            table=exp.to_identifier(known.name(relation)),
            db=None,
            catalog=None,
        )
    return kinds


class _Facts(TypedDict):
    """``_Parts`` as text, columns under the names of their tables."""

    joins: tuple[str, ...]
    filters: tuple[str, ...]
    aggregations: tuple[str, ...]
    groupings: tuple[str, ...]
    windows: tuple[str, ...]
    dates: tuple[str, ...]
    conditions: tuple[str, ...]


def _facts(parts: _Parts, known: Known, kinds: Mapping[int, str]) -> _Facts:
    def text(node: exp.Expr | None) -> str:
        return sql.to_sql(node, known.dialect)[:_LONGEST] if node is not None else ""

    def end(place: str) -> str:
        relation, _, name = place.rpartition(".")
        return f"{known.name(relation)}.{name}"

    return _Facts(
        joins=_unique(" = ".join(sorted(map(end, pair))) for pair in parts.pairs),
        filters=_unique(
            f"{text(column)} {operator} {kind}".rstrip()
            for column, operator, kind in parts.filters
            if column.table
        ),
        aggregations=_unique(map(text, parts.aggregations)),
        groupings=_unique(map(text, parts.groupings)),
        windows=_unique(map(text, parts.windows)),
        dates=_unique(f"{what} {text(node)}".rstrip() for what, node in parts.dates),
        conditions=_unique(text(each) for each in parts.conditions if _is_business(each, kinds)),
    )


def _is_business(node: exp.Expr, kinds: Mapping[int, str]) -> bool:
    """Whether a condition asks flags and categories alone, and no other query."""
    columns = [each for each in clauses.own(node) if isinstance(each, exp.Column)]
    return (
        bool(columns)
        and all(kinds.get(id(each)) in ("_flag", "_category") for each in columns)
        and node.find(exp.Query) is None
    )


def _template(path: str, parts: _Parts, known: Known, kinds: Mapping[int, str]) -> str:
    """What a query does in general: its join path, and the kinds of columns in each clause."""

    def kind(node: exp.Expr) -> str:
        if isinstance(node, exp.Column):
            return kinds.get(id(node), "_column")
        return sql.to_sql(node, known.dialect)[:_LONGEST]

    filters = {f"{kind(column)} {operator} {of}".rstrip() for column, operator, of in parts.filters}
    lists = (
        ("join", {path}),
        ("where", filters),
        ("sum up", set(map(kind, parts.aggregations))),
        ("by", set(map(kind, parts.groupings))),
        ("window", set(map(kind, parts.windows))),
        ("dates", {what for what, _ in parts.dates}),
    )
    shown = (f"{name} {', '.join(sorted(each))}" for name, each in lists if each - {""})
    return "; ".join(shown) or "rows as they are"


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in found if each))
