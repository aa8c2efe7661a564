"""The join graph: edges that tests, constraints or entities name and uniqueness proves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from dbt_t2s import sql
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.project.evidence import Evidence
from dbt_t2s.project.schema import Cardinality, Issue, Join, Level, Table
from dbt_t2s.project.semantics import SemanticModel, expression


@dataclass(frozen=True)
class _Edge:
    """A join that something speaks for, not yet proven."""

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    evidence: str
    entity: str = ""


def find(
    tables: Sequence[Table],
    evidence: Evidence,
    models: Sequence[SemanticModel],
    execute: Execute | None,
    dialect: str,
) -> tuple[tuple[Join, ...], tuple[Issue, ...]]:
    """The proven joins among ``tables``, each once with all its evidence."""
    by_name = {table.name: table for table in tables}
    grouped: dict[tuple[object, ...], list[_Edge]] = {}
    for edge in (*_tested(tables, evidence), *_semantic(models)):
        known = _with_real_names(edge, by_name)
        if known is not None:
            key = (known.table, known.columns, known.to_table, known.to_columns)
            grouped.setdefault(key, []).append(known)
    joins: list[Join] = []
    issues: list[Issue] = []
    for edges in grouped.values():
        first = edges[0]
        to_table = by_name[first.to_table]
        if not _is_unique(to_table, first.to_columns, evidence, execute, dialect):
            issues.append(_unproven(first))
            continue
        # On the many side the data may be unique by luck: there it takes somebody's word too.
        table = by_name[first.table]
        one = _is_said_unique(table, first.columns, evidence) and _is_unique(
            table, first.columns, evidence, None, dialect
        )
        joins.append(
            Join(
                table=first.table,
                columns=first.columns,
                to_table=first.to_table,
                to_columns=first.to_columns,
                cardinality=Cardinality.ONE_TO_ONE if one else Cardinality.MANY_TO_ONE,
                evidence=tuple(dict.fromkeys(edge.evidence for edge in edges)),
                entity=next((edge.entity for edge in edges if edge.entity), ""),
            )
        )
    return tuple(_without_reverses(joins)), tuple(issues)


def _tested(tables: Sequence[Table], evidence: Evidence) -> Iterable[_Edge]:
    by_id = {table.unique_id: table.name for table in tables}
    for table in tables:
        for fact in evidence.of(table.unique_id, "points_at"):
            target = by_id.get(fact.target)
            if target:
                yield _Edge(table.name, fact.columns, target, fact.target_columns, fact.node)


def _semantic(models: Sequence[SemanticModel]) -> Iterable[_Edge]:
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
        evidence=f"semantic_model.{model.name} entity {name} -> semantic_model.{other.name}",
        entity=name,
    )


def _with_real_names(edge: _Edge, tables: Mapping[str, Table]) -> _Edge | None:
    """The edge with columns as the tables spell them; None when one is no plain column there."""
    columns = _spelled(tables[edge.table], edge.columns)
    to_columns = _spelled(tables[edge.to_table], edge.to_columns)
    if not columns or len(columns) != len(to_columns):
        return None
    return _Edge(edge.table, columns, edge.to_table, to_columns, edge.evidence, edge.entity)


def _spelled(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    names = {column.name.lower(): column.name for column in table.columns}
    wanted = [name.strip('"`').lower() for name in columns]
    return tuple(names[name] for name in wanted) if all(n in names for n in wanted) else ()


def _is_said_unique(table: Table, columns: tuple[str, ...], evidence: Evidence) -> bool:
    """Whether a key, test or constraint says that ``columns`` tell the table's rows apart."""
    wanted = frozenset(name.lower() for name in columns)
    return set(columns) == set(table.primary_key) or any(
        frozenset(name.lower() for name in fact.columns) == wanted
        for fact in evidence.of(table.unique_id, "unique")
    )


def _is_unique(
    table: Table,
    columns: tuple[str, ...],
    evidence: Evidence,
    execute: Execute | None,
    dialect: str,
) -> bool:
    """Whether ``columns`` are unique: by the data where it was seen, else by what is said."""
    said = _is_said_unique(table, columns, evidence)
    if len(columns) == 1:
        column = table.column(columns[0])
        if not table.rows or column.distinct is None:
            return said
        return column.distinct == round(table.rows * (1 - (column.null_share or 0.0)))
    if execute is None:
        return said
    listed = ", ".join(sql.quote(name, dialect) for name in columns)
    repeated = execute(
        f"select count(*) from (select {listed} from {table.relation}"
        f" group by {listed} having count(*) > 1) as repeated"
    )
    return said if isinstance(repeated, QueryError) else not repeated.rows[0][0]


def _without_reverses(joins: Sequence[Join]) -> Iterable[Join]:
    """One edge for each pair that is one-to-one both ways."""
    kept: dict[tuple[object, ...], Join] = {}
    for join in joins:
        back = (join.to_table, join.to_columns, join.table, join.columns)
        if join.cardinality is Cardinality.ONE_TO_ONE and back in kept:
            continue
        kept[(join.table, join.columns, join.to_table, join.to_columns)] = join
    return kept.values()


def _unproven(edge: _Edge) -> Issue:
    to = ", ".join(edge.to_columns)
    return Issue(
        Level.WARNING,
        f"{edge.table} -> {edge.to_table}",
        f"no join: {edge.to_table}.{to} is not proven unique (named by {edge.evidence})",
        f"add a unique test to {edge.to_table}.{to}",
    )
