"""The join graph: edges that somebody states, makes or names, and what the data says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from dbt_t2s.duck import Execute
from dbt_t2s.project import guessed_joins, identifiers
from dbt_t2s.project.evidence import Evidence
from dbt_t2s.project.join_checks import Uniqueness, with_orphans
from dbt_t2s.project.mined_joins import Mined
from dbt_t2s.project.schema import Cardinality, Issue, Join, Level, Table
from dbt_t2s.project.semantics import SemanticModel, expression

# How many left-out joins an issue lists.
_LISTED = 5


@dataclass(frozen=True)
class _Edge:
    """A join that something speaks for, not yet proven."""

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    evidence: tuple[str, ...]
    entity: str = ""
    role: str = ""
    queries: tuple[str, ...] = ()
    stated: bool = True

    @property
    def place(self) -> tuple[str, tuple[str, ...], str, tuple[str, ...]]:
        return (self.table, self.columns, self.to_table, self.to_columns)


def find(
    tables: Sequence[Table],
    evidence: Evidence,
    models: Sequence[SemanticModel],
    execute: Execute | None,
    dialect: str,
    mined: Sequence[Mined] = (),
) -> tuple[tuple[Join, ...], tuple[Issue, ...]]:
    """The joins among ``tables``, each once with all its evidence, the proven ones first.

    Proven are those that tests, constraints, entities or the project's own SQL (``mined``) name,
    and whose one side is one row; what only names suggest fills in where none of these speaks.
    """
    by_name = {table.name: table for table in tables}
    unique = Uniqueness(evidence, execute, dialect)
    stated = [
        known
        for edge in (*_tested(tables, evidence), *_semantic(models), *_unchecked(tables, evidence))
        if (known := _with_real_names(edge, by_name)) is not None
    ]
    used, issues = _of_queries(mined, by_name, unique)
    joins, found = _proven([*stated, *used], by_name, unique)
    issues += found
    proven, found = with_orphans(joins, by_name, execute, dialect)
    issues += found
    guesses = guessed_joins.find(proven, tables, unique, execute, dialect)
    unfit = Counter(_told(join) for join in guesses.unfit)
    issues += guesses.issues
    issues += _summary(unfit, "their values do not fit", "a relationships test")
    return _with_meanings((*proven, *guesses.joins), by_name), issues


# ---- what speaks for a join, the strongest first


def _tested(tables: Sequence[Table], evidence: Evidence) -> Iterator[_Edge]:
    """Enforced constraints, then tests."""
    for fact_is_test in (False, True):
        yield from (
            replace(edge, evidence=(node,))
            for edge, node, is_test in _pointing(tables, evidence, "points_at")
            if is_test is fact_is_test
        )


def _unchecked(tables: Sequence[Table], evidence: Evidence) -> Iterator[_Edge]:
    for edge, node, _ in _pointing(tables, evidence, "maybe_points_at"):
        yield replace(edge, evidence=(f"{node} (not checked)",), stated=False)


def _pointing(
    tables: Sequence[Table], evidence: Evidence, kind: str
) -> Iterator[tuple[_Edge, str, bool]]:
    """Edges between queryable tables, the node that says so and whether it is a test."""
    by_id = {table.unique_id: table.name for table in tables}
    for table in tables:
        for fact in evidence.of(table.unique_id, kind):
            target = by_id.get(fact.target)
            if target:
                edge = _Edge(
                    table.name, fact.columns, target, fact.target_columns, (), role=fact.role
                )
                yield edge, fact.node, fact.node != fact.subject


def _semantic(models: Sequence[SemanticModel]) -> Iterator[_Edge]:
    """Foreign entities point at the models where the entity is one row; equal keys pair up."""
    placed = [
        (model, entity) for model in models if model.table for entity in model.elements("entities")
    ]
    ones = [(m, e) for m, e in placed if e.get("type") in ("primary", "unique")]
    for model, entity in placed:
        if entity.get("type") != "foreign":
            continue
        for other, key in ones:
            if key["name"] == entity["name"] and other.table != model.table:
                yield _entity_edge(model, entity, other, key)
    for (model, entity), (other, key) in combinations(ones, 2):
        if key["name"] == entity["name"] and other.table != model.table:
            yield _entity_edge(model, entity, other, key)


def _entity_edge(
    model: SemanticModel,
    entity: Mapping[str, object],
    other: SemanticModel,
    key: Mapping[str, object],
) -> _Edge:
    name = str(entity["name"])
    return _Edge(
        table=model.table,
        columns=(expression(entity),),
        to_table=other.table,
        to_columns=(expression(key),),
        evidence=(f"semantic_model.{model.name} entity {name} -> semantic_model.{other.name}",),
        entity=name,
    )


def _of_queries(
    mined: Sequence[Mined], tables: Mapping[str, Table], unique: Uniqueness
) -> tuple[list[_Edge], tuple[Issue, ...]]:
    """The joins that the project's SQL makes, from the many side to the one that is a key."""
    edges: list[_Edge] = []
    left_out: Counter[str] = Counter()
    for each in mined:
        found = _directed(each, tables, unique)
        edges += found
        if not found:
            left_out[_written(each.table, each.columns, each.to_table, each.to_columns)] += len(
                each.nodes
            )
    return edges, _summary(left_out, "no column of either side is proven unique", "a unique test")


def _directed(mined: Mined, tables: Mapping[str, Table], unique: Uniqueness) -> list[_Edge]:
    """A join on all its columns where they are a key, else on those of them that are one alone."""
    there = _Edge(
        mined.table,
        mined.columns,
        mined.to_table,
        mined.to_columns,
        mined.nodes,
        queries=mined.nodes,
        stated=False,
    )
    whole = _to_key(there, tables, unique)
    if whole is not None or len(mined.columns) == 1:
        return [whole] if whole else []
    parts = [
        _to_key(replace(there, columns=(a,), to_columns=(b,)), tables, unique)
        for a, b in zip(mined.columns, mined.to_columns, strict=True)
    ]
    return [part for part in parts if part is not None]


def _to_key(edge: _Edge, tables: Mapping[str, Table], unique: Uniqueness) -> _Edge | None:
    known = _with_real_names(edge, tables)
    if known is None:
        return None
    back = replace(
        known,
        table=known.to_table,
        columns=known.to_columns,
        to_table=known.table,
        to_columns=known.columns,
    )
    # Several columns that happen to be unique may be an aggregate's: there it takes a word too.
    ways = [
        (not said, number, way)
        for number, way in enumerate((known, back))
        for said in (unique.said(tables[way.to_table], way.to_columns),)
        if (said or len(way.columns) == 1) and unique.holds(tables[way.to_table], way.to_columns)
    ]
    return min(ways, key=lambda each: each[:2])[2] if ways else None


# ---- from edges to joins


def _proven(
    edges: Sequence[_Edge], tables: Mapping[str, Table], unique: Uniqueness
) -> tuple[list[Join], tuple[Issue, ...]]:
    """One join for all edges on the same columns whose one side is one row."""
    grouped: dict[tuple[object, ...], list[_Edge]] = {}
    for edge in edges:
        grouped.setdefault(edge.place, []).append(edge)
    joins: list[Join] = []
    issues: list[Issue] = []
    for same in grouped.values():
        first = same[0]
        if not unique.holds(tables[first.to_table], first.to_columns):
            issues.append(_unproven(first))
            continue
        joins.append(
            Join(
                table=first.table,
                columns=first.columns,
                to_table=first.to_table,
                to_columns=first.to_columns,
                cardinality=_cardinality(first, tables, unique),
                evidence=tuple(dict.fromkeys(name for edge in same for name in edge.evidence)),
                entity=next((edge.entity for edge in same if edge.entity), ""),
                support=len({node for edge in same for node in edge.queries}),
                meaning=next((edge.role for edge in same if edge.role), ""),
            )
        )
    return list(_without_reverses(joins)), tuple(issues)


def _cardinality(edge: _Edge, tables: Mapping[str, Table], unique: Uniqueness) -> Cardinality:
    """On the many side the data may be unique by luck: there it takes somebody's word too."""
    table = tables[edge.table]
    one = unique.said(table, edge.columns) and (
        len(edge.columns) > 1 or unique.holds(table, edge.columns)
    )
    return Cardinality.ONE_TO_ONE if one else Cardinality.MANY_TO_ONE


def _with_meanings(joins: Sequence[Join], tables: Mapping[str, Table]) -> tuple[Join, ...]:
    """What tells edges between the same two tables apart, in words.

    What somebody calls them, where that does tell them apart; else what their names say.
    """
    between: dict[tuple[str, str], list[str]] = {}
    for join in joins:
        between.setdefault((join.table, join.to_table), []).append(join.meaning)
    found: list[Join] = []
    for join in joins:
        said = between[join.table, join.to_table]
        to_entity = identifiers.entity_words(join.to_table)
        is_own = said.count(join.meaning) == 1 and identifiers.entity_words(join.meaning) not in (
            (),
            to_entity,
        )
        words = join.meaning if is_own else meaning(join, tables[join.to_table])
        found.append(replace(join, meaning=words if len(said) > 1 else ""))
    return tuple(found)


def meaning(join: Join, to_table: Table) -> str:
    """The entity, where it is not just the table's own; else the column without its ``id``."""
    entity = identifiers.spoken(join.entity)
    own = {identifiers.stem(to_table.entity), identifiers.entity_words(to_table.name)}
    if entity and identifiers.stem(join.entity) not in own:
        return entity
    return " ".join(identifiers.spoken(name) for name in join.columns)


def _with_real_names(edge: _Edge, tables: Mapping[str, Table]) -> _Edge | None:
    """The edge with columns as the tables spell them; None when one is no plain column there."""
    columns = _spelled(tables[edge.table], edge.columns)
    to_columns = _spelled(tables[edge.to_table], edge.to_columns)
    if not columns or len(columns) != len(to_columns):
        return None
    return replace(edge, columns=columns, to_columns=to_columns)


def _spelled(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    names = {column.name.lower(): column.name for column in table.columns}
    wanted = [name.strip('"`').lower() for name in columns]
    return tuple(names[name] for name in wanted) if all(n in names for n in wanted) else ()


def _without_reverses(joins: Sequence[Join]) -> Iterable[Join]:
    """One edge for each pair that is one-to-one both ways."""
    kept: dict[tuple[object, ...], Join] = {}
    for join in joins:
        back = (join.to_table, join.to_columns, join.table, join.columns)
        if join.cardinality is Cardinality.ONE_TO_ONE and back in kept:
            continue
        kept[(join.table, join.columns, join.to_table, join.to_columns)] = join
    return kept.values()


def _told(join: Join) -> str:
    return _written(join.table, join.columns, join.to_table, join.to_columns)


def _written(
    table: str, columns: tuple[str, ...], to_table: str, to_columns: tuple[str, ...]
) -> str:
    pairs = zip(columns, to_columns, strict=True)
    return " and ".join(f"{table}.{a} = {to_table}.{b}" for a, b in pairs)


def _summary(left_out: Counter[str], why: str, remedy: str) -> tuple[Issue, ...]:
    """One issue for all joins left out for the same reason, the most used first."""
    if not left_out:
        return ()
    listed = [name for name, _ in left_out.most_common(_LISTED)]
    more = len(left_out) - len(listed)
    shown = "; ".join(listed) + (f" and {more} more" if more else "")
    message = f"{len(left_out)} left out, {why}: {shown}"
    return (Issue(Level.INFO, "joins", message, f"add {remedy} to those that hold"),)


def _unproven(edge: _Edge) -> Issue:
    to = ", ".join(edge.to_columns)
    return Issue(
        Level.WARNING if edge.stated else Level.INFO,
        f"{edge.table} -> {edge.to_table}",
        f"no join: {edge.to_table}.{to} is not proven unique (named by {edge.evidence[0]})",
        f"add a unique test to {edge.to_table}.{to}",
    )
