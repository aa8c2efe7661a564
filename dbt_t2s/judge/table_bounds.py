"""What a made-up table has to meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dbt_t2s.judge.conditions import Condition
from dbt_t2s.judge.json_paths import Path
from dbt_t2s.judge.query_columns import Place
from dbt_t2s.project.columns import kind_of
from dbt_t2s.project.schema import Kind

Scenario = tuple[tuple[str, Condition], ...]


@dataclass(frozen=True)
class ColumnBounds:
    """What holds for every value of a generated column.

    ``type`` is DuckDB's. ``values`` are the only ones allowed if ``closed``, else favoured ones.
    Columns with the same ``domain`` draw from the same values; ``domain_name`` is what that is
    called most; ``is_main`` is the key of the things themselves, not of something that each of
    them has one of. ``asked`` are the conditions that some SQL asks of it, ``format`` the strftime
    form of moments that are held as text, ``paths`` what is read of half-structured data.
    """

    name: str
    type: str
    kind: Kind
    domain: Place
    domain_name: str
    is_key: bool = False
    is_main: bool = False
    plain_key: bool = False
    unique: bool = False
    nullable: bool = True
    values: tuple[str, ...] = ()
    closed: bool = False
    minimum: str = ""
    maximum: str = ""
    null_share: float | None = None
    asked: tuple[Condition, ...] = ()
    format: str = ""
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Pointer:
    """Rows whose ``columns`` are filled hold the ``targets`` of some row: places of one node each,
    the nearest first."""

    columns: tuple[str, ...]
    targets: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class TableBounds:
    """What a generated table's rows must meet; names are lower-case but for the columns' own.

    ``expressions`` are SQL of the project's dialect, ``scenarios`` conditions that some rows should
    meet at once so that no model is left empty.
    """

    node: str
    columns: tuple[ColumnBounds, ...]
    rows: int
    unique: tuple[tuple[str, ...], ...] = ()
    pointers: tuple[Pointer, ...] = ()
    expressions: tuple[str, ...] = ()
    scenarios: tuple[Scenario, ...] = ()

    def retyped(self, columns: Sequence[tuple[str, str]]) -> TableBounds:
        """The same bounds for exactly these (name, DuckDB type) columns."""
        known = {each.name.lower(): each for each in self.columns}
        made = tuple(
            replace(known[name.lower()], name=name, type=type_, kind=kind_in_duckdb(type_))
            if name.lower() in known
            else ColumnBounds(name, type_, kind_in_duckdb(type_), (self.node, name.lower()), name)
            for name, type_ in columns
        )
        present = {name.lower() for name, _ in columns}
        return replace(
            self,
            columns=made,
            unique=tuple(each for each in self.unique if set(each) <= present),
            pointers=tuple(each for each in self.pointers if set(each.columns) <= present),
        )


def kind_in_duckdb(type_: str) -> Kind:
    """What a DuckDB type lets one do; ids of a type of their own are text."""
    return Kind.TEXT if type_ == "UUID" else kind_of(type_)
