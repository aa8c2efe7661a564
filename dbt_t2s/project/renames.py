"""Renames, told from a drop and an addition: by where columns come from, their values and names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dbt_t2s.project.schema import Column, ProjectSchema, Table

# From here on, two columns (two tables) are taken for one under two names.
_ALIKE = 0.6
_RELATED = 0.35  # of keys: one unique column in the place of another
_SAME_COLUMNS = 0.7
# Where a column can be called for in any letter case, quoted or not.
_CASELESS = frozenset({"bigquery", "databricks", "duckdb", "hive", "redshift", "spark", "tsql"})


@dataclass(frozen=True)
class Renames:
    """Old names and what they are now; ``columns`` has them by the new name of their table."""

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def table(self, name: str) -> str:
        return self.tables.get(name, name)

    def column(self, table: str, name: str) -> str:
        """The name now of a column of the table that was called ``table``."""
        return self.columns.get(self.table(table), {}).get(name, name)


def renamed_columns(old: Sequence[Column], new: Sequence[Column]) -> dict[str, str]:
    """The new names of columns that one table had and now has under another name."""
    gone, come = _apart([c.name for c in old], [c.name for c in new])
    before, after = {c.name: c for c in old}, {c.name: c for c in new}

    def alike(one: str, other: str) -> float:
        respelled = one.lower() == other.lower()
        return 2.0 if respelled else _likeness(before[one], after[other])

    return _pairs(gone, come, alike, _ALIKE)


def is_respelled(old: str, new: str, dialect: str) -> bool:
    """Whether two names of a column differ in the case of letters alone, and none minds."""
    return dialect in _CASELESS and old.lower() == new.lower()


def respelled_columns(old: ProjectSchema, new: ProjectSchema) -> dict[tuple[str, str], str]:
    """By table and old name the names of columns that differ in the case of letters alone."""
    found = {}
    for table in new.tables:
        names = {column.name.lower(): column.name for column in table.columns}
        before = (c.name for t in old.tables if t.name == table.name for c in t.columns)
        for name in before:
            now = names.get(name.lower(), name)
            if now != name and is_respelled(name, now, new.dialect):
                found[table.name, name] = now
    return found


def renamed_tables(old: Sequence[Table], new: Sequence[Table]) -> dict[str, str]:
    """The new names of tables that have other names now."""
    gone, come = _apart([t.name for t in old], [t.name for t in new])
    before, after = {t.name: t for t in old}, {t.name: t for t in new}

    def shared(one: str, other: str) -> float:
        ours = {(c.name, c.kind) for c in before[one].columns}
        theirs = {(c.name, c.kind) for c in after[other].columns}
        same_key = before[one].primary_key == after[other].primary_key
        return (
            len(ours & theirs) / max(len(ours | theirs), 1)
            if same_key or _similar(one, other) > _ALIKE
            else 0.0
        )

    return _pairs(gone, come, shared, _SAME_COLUMNS)


def _apart(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    return sorted(set(old) - set(new)), sorted(set(new) - set(old))


def _pairs(
    gone: Sequence[str],
    come: Sequence[str],
    likeness: Callable[[str, str], float],
    least: float,
) -> dict[str, str]:
    """The best pairs first, each name in one pair at most."""
    scored = sorted(
        ((-likeness(one, other), one, other) for one in gone for other in come),
    )
    found: dict[str, str] = {}
    for score, one, other in scored:
        if -score < least:
            break
        if one not in found and other not in found.values():
            found[one] = other
    return found


def _likeness(old: Column, new: Column) -> float:
    """From 0 to 1; a column of another kind is another column."""
    if old.kind is not new.kind:
        return 0.0
    origin = bool(old.sources) and old.sources == new.sources and old.expression == new.expression
    if origin:
        return 1.0
    if old.values and new.values and old.role is new.role:
        ours, theirs = set(old.values), set(new.values)
        overlap = len(ours & theirs) / len(ours | theirs)
        return max(overlap, 0.5 * overlap + 0.5 * _similar(old.name, new.name))
    similar = _similar(old.name, new.name)
    if old.unique and new.unique and old.role is new.role:
        return max(similar, _ALIKE) if similar > _RELATED else similar
    same = bool(old.description) and old.description == new.description
    return min(1.0, similar * (1.15 if same else 0.95))


def _similar(one: str, other: str) -> float:
    """Of names, by letters and by words, whichever is more alike."""
    ours, theirs = set(one.lower().split("_")), set(other.lower().split("_"))
    words = len(ours & theirs) / max(len(ours | theirs), 1)
    return max(difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio(), words)
