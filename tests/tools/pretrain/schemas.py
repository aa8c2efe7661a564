"""Databases of the question sets as project schemas, with the literals their SQL compares."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dbt_t2s.project.schema import Cardinality, Column, Join, Kind, ProjectSchema, Role, Table
from dbt_t2s.query.plan import Col
from dbt_t2s.query.sql_source import Names, NotConvertedError, Source
from dbt_t2s.sql import exp, walk
from tests.tools.pretrain.golds import names_of, parsed
from tests.tools.pretrain.names import canonical, singular, snake

_PROSE = frozenset(
    ("name", "title", "description", "address", "text", "comment", "details", "note", "notes")
)
_DAYS = frozenset(("date", "day", "birthday", "dob", "birthdate"))
_OTHERS = 10
_MOST_WORDS = 6
_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_SUMMED = (exp.Sum, exp.Avg)


@dataclass
class Usage:
    """How the gold SQL of one database uses its columns."""

    literals: dict[Col, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    numeric: set[Col] = field(default_factory=set)
    joined: set[tuple[Col, Col]] = field(default_factory=set)


def schemas(
    rows: Iterable[Mapping[str, Any]], questions: Iterable[Mapping[str, Any]] = ()
) -> dict[str, ProjectSchema]:
    """Each database's schema; ``questions`` bring the literals that play its content."""
    plain = {row["db_id"]: _schema(row) for row in rows}
    gold: dict[str, set[str]] = defaultdict(set)
    for question in questions:
        gold[question["db_id"]].add(question["sql"])
    usages = {name: _usage(schema, sorted(gold[name])) for name, schema in plain.items()}
    shared = _shared(plain, usages)
    return {name: _filled(plain[name], usages[name], shared) for name in plain}


# ---- tables and joins


def _schema(row: Mapping[str, Any]) -> ProjectSchema:
    named = {t["name"].lower(): snake(t["name"], t["words"]) for t in row["tables"]}
    columns = {
        (t["name"].lower(), c["name"].lower()): snake(c["name"], c["words"])
        for t in row["tables"]
        for c in t["columns"]
    }
    keys = {
        (t["name"].lower(), c["name"].lower())
        for t in row["tables"]
        for c in t["columns"]
        if c["primary_key"]
    }
    pairs = [_directed(left, right, keys) for left, right in row["foreign_keys"]]
    foreign = {left for left, _ in pairs}
    tables = tuple(_table(t, named, foreign) for t in row["tables"])
    grouped: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for left, right in pairs:
        edge = (columns[left], columns[right])
        if left[0] != right[0] and edge not in grouped[named[left[0]], named[right[0]]]:
            grouped[named[left[0]], named[right[0]]].append(edge)
    joins = tuple(j for (a, b), found in grouped.items() for j in _joins(a, b, found))
    return ProjectSchema(row["db_id"], "duckdb", tables, joins)


def _directed(
    left: Sequence[str], right: Sequence[str], keys: set[tuple[str, str]]
) -> tuple[tuple[str, str], tuple[str, str]]:
    """A foreign key from its many side to the key that it points at."""
    a, b = (left[0].lower(), left[1].lower()), (right[0].lower(), right[1].lower())
    return (b, a) if a in keys and b not in keys else (a, b)


def _joins(table: str, to_table: str, pairs: list[tuple[str, str]]) -> list[Join]:
    """One join per pair, or one over all pairs where they spell a key of several columns."""
    targets = [right for _, right in pairs]
    sources = [left for left, _ in pairs]
    whole = len(pairs) > 1 and len(set(targets)) == len(pairs) == len(set(sources))
    parts = [pairs] if whole else [[pair] for pair in pairs]
    return [
        Join(
            table,
            tuple(a for a, _ in part),
            to_table,
            tuple(b for _, b in part),
            Cardinality.MANY_TO_ONE,
            ("constraint",),
        )
        for part in parts
    ]


def _table(
    given: Mapping[str, Any], named: Mapping[str, str], foreign: set[tuple[str, str]]
) -> Table:
    own = given["name"].lower()
    linked = [c["name"] for c in given["columns"] if (own, c["name"].lower()) in foreign]
    keys = [c["name"] for c in given["columns"] if c["primary_key"]]
    # The sets keep only the first column of a longer key: a key that is one of several foreign
    # keys identifies no row.
    if len(linked) > 1 and keys and keys[0] in linked:
        keys = []
    columns: dict[str, Column] = {}
    for column in given["columns"]:
        made = _column(column, column["name"] in keys, column["name"] in linked)
        columns.setdefault(canonical(made.name), made)
    key = tuple(snake(c["name"], c["words"]) for c in given["columns"] if c["name"] in keys)
    days = [c.name for c in columns.values() if c.kind in (Kind.DATE, Kind.TIMESTAMP)]
    return Table(
        name=named[own],
        relation=f'"{named[own]}"',
        unique_id=f"model.human.{named[own]}",
        path="",
        columns=tuple(columns.values()),
        label=given["words"],
        primary_key=key,
        entity=singular(given["words"]).replace(" ", "_"),
        time_column=days[0] if len(days) == 1 else "",
    )


def _column(given: Mapping[str, Any], key: bool, foreign: bool) -> Column:
    spoken = frozenset(given["words"].lower().split())
    kind = _kind(given["type"], spoken)
    return Column(
        name=snake(given["name"], given["words"]),
        type=_TYPES[kind],
        kind=kind,
        role=_role(kind, spoken, key, foreign),
        type_origin="declared",
        label=given["words"],
        unique=key,
        nullable=not key,
    )


_TYPES = {
    Kind.NUMBER: "DOUBLE",
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.OTHER: "VARCHAR",
}


def _kind(given: str, spoken: frozenset[str]) -> Kind:
    if given == "number":
        return Kind.NUMBER
    if given == "boolean":
        return Kind.BOOLEAN
    if given == "time":
        if "year" in spoken and not spoken & _DAYS:
            return Kind.NUMBER
        return Kind.TIMESTAMP if "time" in spoken or "timestamp" in spoken else Kind.DATE
    return Kind.DATE if spoken & _DAYS else Kind.TEXT


def _role(kind: Kind, spoken: frozenset[str], key: bool, foreign: bool) -> Role:
    if key or foreign:
        return Role.KEY if key else Role.FOREIGN_KEY
    if kind in (Kind.DATE, Kind.TIMESTAMP):
        return Role.TIME
    if kind is Kind.NUMBER:
        return Role.MEASURE
    if kind is Kind.BOOLEAN:
        return Role.FLAG
    return Role.TEXT if spoken & _PROSE else Role.CATEGORY


# ---- literals


def _usage(schema: ProjectSchema, gold: Sequence[str]) -> Usage:
    names, usage = names_of(schema), Usage()
    for text in gold:
        try:
            tree = parsed(text, names)
        except NotConvertedError:
            continue
        for select in tree.find_all(exp.Select):
            _read_select(select, names, usage)
    return usage


def _read_select(select: exp.Select, names: Names, usage: Usage) -> None:
    start = select.args.get("from_")
    relations = [start.this if start else None, *(j.this for j in select.args.get("joins") or ())]
    aliases = {
        r.alias_or_name.lower(): names.tables[canonical(r.name)]
        for r in relations
        if isinstance(r, exp.Table) and canonical(r.name) in names.tables
    }
    source = Source(names, aliases)
    for node in walk(select):
        if node.find_ancestor(exp.Select) is not select or not isinstance(node.this, exp.Column):
            continue
        try:
            column = source.column(node.this)
        except NotConvertedError:
            continue
        if isinstance(node, _SUMMED):
            usage.numeric.add(column)
            continue
        if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Column):
            _read_join(column, node.expression, source, usage)
            continue
        given = [node.args.get(a) for a in ("expression", "low", "high")]
        given += node.expressions if isinstance(node, exp.In) else []
        literals = [g for g in given if isinstance(g, exp.Literal)]
        if isinstance(node, _ORDERED) and any(not g.is_string for g in literals):
            usage.numeric.add(column)
        if isinstance(node, exp.EQ | exp.NEQ | exp.In):
            usage.literals[column].update(g.name.strip() for g in literals if g.name.strip())


def _read_join(left: Col, node: exp.Expr, source: Source, usage: Usage) -> None:
    try:
        right = source.column(node)
    except NotConvertedError:
        return
    usage.joined |= {(left, right), (right, left)}


def _spelled(pair: tuple[Col, Col]) -> tuple[str, ...]:
    return tuple(part for column in pair for part in (column.table, column.column))


def _undeclared(schema: ProjectSchema, usage: Usage) -> tuple[Join, ...]:
    """Foreign keys that the set forgot: the gold joins a column to another table's key by them.

    The columns must share their name, as ``loan.cust_id`` and ``customer.cust_id`` do.
    """
    keys = {Col(t.name, t.primary_key[0]) for t in schema.tables if len(t.primary_key) == 1}
    known = {(j.table, j.to_table) for j in schema.joins}
    known |= {(b, a) for a, b in known}
    found = [
        Join(a.table, (a.column,), b.table, (b.column,), Cardinality.MANY_TO_ONE, ("queries",))
        for a, b in sorted(usage.joined, key=_spelled)
        if b in keys
        and a not in keys
        and a.table != b.table
        and (a.table, b.table) not in known
        and canonical(a.column)[-4:] == canonical(b.column)[-4:]
    ]
    return tuple(found)


def _shared(
    plain: Mapping[str, ProjectSchema], usages: Mapping[str, Usage]
) -> dict[str, tuple[str, ...]]:
    """Literals of all databases by their column's name in plain words."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, schema in plain.items():
        for table in schema.tables:
            for column in table.columns:
                for value in usages[name].literals.get(Col(table.name, column.name), ()):
                    if _is_text(value):
                        found[column.label].setdefault(value.lower(), value)
    return {label: tuple(values[k] for k in sorted(values)) for label, values in found.items()}


def _is_text(value: str) -> bool:
    return any(c.isalpha() for c in value) and len(value.split()) <= _MOST_WORDS


def _filled(
    schema: ProjectSchema, usage: Usage, shared: Mapping[str, tuple[str, ...]]
) -> ProjectSchema:
    extra = _undeclared(schema, usage)
    foreign = {Col(j.table, c) for j in extra for c in j.columns}
    tables = []
    for table in schema.tables:
        columns = tuple(
            _with_usage(_linked(c, table.name, foreign), Col(table.name, c.name), usage, shared)
            for c in table.columns
        )
        tables.append(replace(table, columns=columns))
    return _one_kind(replace(schema, tables=tuple(tables), joins=(*schema.joins, *extra)))


def _one_kind(schema: ProjectSchema) -> ProjectSchema:
    """Foreign keys get the type of the key that they point at; the sets mix numbers and text."""
    kinds = {Col(t.name, c.name): c.kind for t in schema.tables for c in t.columns}
    changed: dict[Col, Kind] = {}
    for join in schema.joins:
        for left, right in zip(join.columns, join.to_columns, strict=True):
            changed[Col(join.table, left)] = kinds[Col(join.to_table, right)]

    def settled(table: str, column: Column) -> Column:
        kind = changed.get(Col(table, column.name), column.kind)
        if kind is column.kind:
            return column
        values = column.values if kind is Kind.TEXT else ()
        return replace(column, kind=kind, type=_TYPES[kind], values=values)

    tables = tuple(
        replace(t, columns=tuple(settled(t.name, c) for c in t.columns)) for t in schema.tables
    )
    return replace(schema, tables=tables)


def _linked(column: Column, table: str, foreign: set[Col]) -> Column:
    if Col(table, column.name) not in foreign or column.role is Role.KEY:
        return column
    return replace(column, role=Role.FOREIGN_KEY)


def _with_usage(
    column: Column, of: Col, usage: Usage, shared: Mapping[str, tuple[str, ...]]
) -> Column:
    if column.kind is Kind.TEXT and of in usage.numeric:
        role = column.role if column.role in (Role.KEY, Role.FOREIGN_KEY) else Role.MEASURE
        return replace(column, kind=Kind.NUMBER, type=_TYPES[Kind.NUMBER], role=role)
    if column.kind is not Kind.TEXT:
        return column
    own: dict[str, str] = {}
    for value, _ in usage.literals.get(of, Counter()).most_common():
        own.setdefault(value.lower(), value)
    others = [v for v in shared.get(column.label, ()) if v.lower() not in own][:_OTHERS]
    if column.role in (Role.KEY, Role.FOREIGN_KEY):
        others = []
    return replace(column, values=tuple(sorted({*own.values(), *others})))
