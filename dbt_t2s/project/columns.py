"""The columns of a table: found in the catalog, the warehouse, the docs or the SQL; then read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from dbt_t2s.duck import QueryError
from dbt_t2s.project import meta, units
from dbt_t2s.project.artifacts import Artifacts, Node, section, text
from dbt_t2s.project.data import Columns
from dbt_t2s.project.evidence import Evidence
from dbt_t2s.project.found import Found, from_catalog
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.schema import Column, Issue, Kind, Level, Role
from dbt_t2s.project.semantics import Hints
from dbt_t2s.project.values import CATEGORY_LIMIT, Profile

_KINDS: tuple[tuple[Kind, str], ...] = (
    (Kind.OTHER, r"\[|^(array|struct|map|row|json|variant|object|super|interval|time\b|union)"),
    (Kind.BOOLEAN, r"^bool|^bit$"),
    (Kind.TIMESTAMP, r"^(timestamp|datetime|smalldatetime)"),
    (Kind.DATE, r"^date"),
    (
        Kind.NUMBER,
        r"^(u?(tiny|small|big|huge|medium)?int|byteint|number|numeric|decimal|bignumeric|dec\b"
        r"|float|double|real|money|long|short|fixed)",
    ),
    (Kind.TEXT, r"^(var)?char|^(n|bp)?(var)?char|^(text|string|character|citext|enum|uuid|clob)"),
)

_KEY_NAME = re.compile(r"(^|_)(id|key|uuid|guid|pk|sk|fk)$")


def is_key_name(name: str) -> bool:
    """Whether a column called so is an identifier rather than a quantity."""
    return bool(_KEY_NAME.search(name.lower()))


@lru_cache(4096)
def kind_of(type_name: str) -> Kind:
    """What a warehouse type lets one do."""
    name = type_name.strip().lower()
    for kind, pattern in _KINDS:
        if re.search(pattern, name):
            return kind
    return Kind.OTHER


def find(
    artifacts: Artifacts, node: Node, relation: str, lineage: Lineage, ask: Columns | None
) -> tuple[tuple[Found, ...], tuple[Issue, ...]]:
    """The table's columns; the warehouse wins over a catalog that is behind it."""
    unique_id = text(node, "unique_id")
    listed = from_catalog(artifacts, unique_id)
    issues: list[Issue] = []
    if ask is not None:
        built = ask(node, listed)
        if isinstance(built, QueryError):
            issues.append(Issue(Level.WARNING, unique_id, f"cannot be read: {built.message}"))
        elif not built:
            issues.append(
                Issue(
                    Level.WARNING,
                    unique_id,
                    f"{relation} is not in the warehouse",
                    f"dbt build --select {text(node, 'name')}",
                )
            )
        elif [each.name for each in built] != [each.name for each in listed]:
            if listed:
                issues.append(
                    Issue(
                        Level.INFO,
                        unique_id,
                        "the catalog is behind the warehouse, whose columns were taken",
                        "dbt docs generate",
                    )
                )
            listed = built
    found = lineage.attach(unique_id, listed) if listed else lineage.columns(unique_id)
    if not found:
        issues.append(
            Issue(
                Level.WARNING,
                unique_id,
                "left out: its columns are in no catalog, warehouse, docs or SQL",
                "dbt build && dbt docs generate",
            )
        )
    return found, tuple(issues)


def build(
    found: Sequence[Found],
    node: Node,
    evidence: Evidence,
    profile: Profile,
    hints: Hints,
    primary_key: tuple[str, ...],
    private: frozenset[str],
) -> tuple[Column, ...]:
    """The columns with everything known about them."""
    docs = {
        str(name).lower(): column
        for name, column in section(node, "columns").items()
        if isinstance(column, dict)
    }
    return tuple(
        _column(each, docs.get(each.name.lower(), {}), node, evidence, profile, hints, primary_key,
                each.name in private)
        for each in found
    )  # fmt: skip


def _column(
    found: Found,
    docs: Node,
    node: Node,
    evidence: Evidence,
    profile: Profile,
    hints: Hints,
    primary_key: tuple[str, ...],
    private: bool,
) -> Column:
    unique_id, name = text(node, "unique_id"), found.name
    seen = profile.column(name)
    accepted = () if private else _accepted(evidence, unique_id, name)
    points = bool(evidence.about(unique_id, "points_at", name)) or name.lower() in hints.foreign
    unique = bool(evidence.about(unique_id, "unique", name)) or primary_key == (name,)
    if seen and profile.rows and seen.distinct is not None:
        unique = unique and seen.distinct >= seen.filled
    kind = kind_of(found.type)
    description, origin = meta.described(docs, dict(hints.descriptions).get(name.lower(), ""))
    values = tuple(dict.fromkeys((*(seen.values if seen else ()), *accepted)))
    column = Column(
        name=name,
        type=found.type,
        kind=kind,
        role=Role.TEXT,
        type_origin=found.origin if found.type else "unknown",
        confidence=found.confidence,
        sources=found.sources,
        expression=found.expression,
        label=meta.label(docs) or dict(hints.labels).get(name.lower(), ""),
        description=description,
        description_origin=origin,
        synonyms=meta.synonyms(docs),
        nullable=not evidence.about(unique_id, "not_null", name) and name not in primary_key,
        unique=unique,
        checked=tuple(
            kind for kind in ("unique", "not_null") if evidence.about(unique_id, kind, name)
        ),
        personal=private,
        cleared=not private and meta.personal(docs) is False,
        values=values,
        values_complete=bool(accepted) or bool(seen and seen.values_complete),
        distinct=profile.distinct(name),
        null_share=profile.null_share(name),
        minimum=seen.minimum if seen else None,
        maximum=seen.maximum if seen else None,
        format=seen.format if seen else "",
    )
    column = replace(column, unit=_unit(column, docs))
    return _with_role(column, primary_key, points, bool(accepted), hints)


def _unit(column: Column, docs: Node) -> str:
    if column.kind is not Kind.NUMBER:
        return ""
    return units.unit_of(column.name, docs, column.label, column.description)


def _accepted(evidence: Evidence, unique_id: str, name: str) -> tuple[str, ...]:
    facts = evidence.about(unique_id, "accepted_values", name)
    return facts[0].values if facts else ()


def _with_role(
    column: Column, primary_key: tuple[str, ...], points: bool, accepted: bool, hints: Hints
) -> Column:
    name = column.name.lower()
    looks_like_key = is_key_name(name) and column.kind in (Kind.NUMBER, Kind.TEXT)
    is_key = column.unique and (looks_like_key or name in hints.keys)
    role = Role.TEXT
    if primary_key == (column.name,) or is_key:
        role = Role.KEY
    elif points or looks_like_key:
        role = Role.FOREIGN_KEY
    elif column.name in primary_key and column.kind in (Kind.NUMBER, Kind.TEXT):
        role = Role.CATEGORY
    elif column.kind is Kind.BOOLEAN:
        role = Role.FLAG
    elif column.kind in (Kind.DATE, Kind.TIMESTAMP):
        role = Role.TIME
    elif accepted or (name in hints.categories and _groups_rows(column)):
        role = Role.CATEGORY
    elif column.kind is Kind.NUMBER:
        role = Role.MEASURE
    elif column.kind is Kind.TEXT and column.values and _few(column) and not column.personal:
        role = Role.CATEGORY
    return replace(column, role=role)


def _groups_rows(column: Column) -> bool:
    """Whether a declared dimension reads like one: semantic models list prices and prose too."""
    if column.kind is Kind.NUMBER:
        return "int" in column.type.lower() and _few(column)
    return _few(column) and (bool(column.values) or column.distinct is None)


def _few(column: Column) -> bool:
    """Few enough different values to group by; unknown counts as few where it was declared so."""
    return column.distinct is None or column.distinct <= CATEGORY_LIMIT
