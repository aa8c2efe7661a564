"""The models of two states of a project, run over the same rows.

What a change of a model's SQL does to answers shows only where nothing else changed with it: the
models that changed, and all below them, run as both states have them over the seeds, sources and
unchanged models of one warehouse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.duck import Connection, QueryError, Rows
from dbt_t2s.judge import dag
from dbt_t2s.judge.fixture_inputs import is_stored, today_of
from dbt_t2s.judge.layout import Layout, layout_of
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.renames import renamed_columns
from dbt_t2s.project.schema import ProjectSchema, Table
from dbt_t2s.project.tables import time_spines

_MODEL_S = 20.0
_MODELS = ("model", "snapshot")


@dataclass(frozen=True)
class Side:
    """One state: what may be asked for, and dbt's artifacts with compiled SQL."""

    schema: ProjectSchema
    artifacts: Artifacts

    @cached_property
    def layout(self) -> Layout:
        return layout_of(self.artifacts, (table.unique_id for table in self.schema.tables))

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The tables that may be asked for, by node id."""
        return {table.unique_id: table for table in self.schema.tables}

    @cached_property
    def places(self) -> Mapping[str, tuple[str, str]]:
        """(schema, name) in the file of each node that has a relation, parents first.

        Time spines are among them: metrics join them though no table is made from them.
        """
        spines = (text(node, "unique_id") for node in time_spines(self.artifacts))
        order = dag.ordered((*self.tables, *spines), self.layout)
        nodes = {each: self.artifacts.node(each) for each in order}
        # Artifacts of another state may lack a node.
        return {
            n: self.layout.of_node(node) for n, node in nodes.items() if node and is_stored(node)
        }

    def quoted(self, node: str) -> str:
        """The full name of a node's relation in the file."""
        return duck.quoted(self.layout.catalog, *self.places[node])


@dataclass(frozen=True)
class Replayed:
    """One state's warehouse; ``problems`` say, by node id, why a model's rows are not there."""

    file: Path
    problems: Mapping[str, str]


@dataclass(frozen=True)
class Replay:
    """``affected`` are the ids of the models that ran: those that changed, and all below them."""

    before: Replayed
    after: Replayed
    affected: frozenset[str] = frozenset()


def replay(before: Side, after: Side, data: Path, folder: Path) -> Replay:
    """Both warehouses, below ``folder``, from ``data``, which is laid out as ``after`` is.

    Where no model changed both are ``data`` itself, under the name that each state's SQL says.
    """
    affected = affected_models(before.artifacts, after.artifacts)
    day = today_of(after.schema, after.artifacts)  # in both: else each day has other rows
    sides = []
    for name, side in (("before", before), ("after", after)):
        is_same = not affected and side.layout.catalog == data.stem
        if is_same and _lacks(side, after, data) == ():
            sides.append(Replayed(data, {}))
            continue
        file = folder / name / f"{side.layout.catalog}.duckdb"
        _copy(side, after, before, data, file, affected)
        sides.append(Replayed(file, _run(side, before.artifacts, day, file, affected)))
    return Replay(sides[0], sides[1], affected)


def affected_models(before: Artifacts, after: Artifacts) -> frozenset[str]:
    """The ids of the models and snapshots whose SQL is another in the two states, and of all below.

    Relations may be called otherwise in another target: that alone is no other SQL.
    """
    old, new = _models(before), _models(after)
    changed = {
        each
        for each in old.keys() | new.keys()
        if each not in old or each not in new or not _is_same(old[each], before, new[each], after)
    }
    return frozenset(_below(changed, old) | _below(changed, new))


def _models(artifacts: Artifacts) -> dict[str, Node]:
    return {text(node, "unique_id"): node for node in artifacts.nodes(*_MODELS)}


def _is_same(old: Node, before: Artifacts, new: Node, after: Artifacts) -> bool:
    """Whether both are the same SQL, by what was compiled where both were.

    An incremental model's compiled SQL hangs on whether its table was there.
    """
    compiled = text(old, "compiled_code") and text(new, "compiled_code")
    if compiled and text(section(new, "config"), "materialized") != "incremental":
        return _told(old, before, before) == _told(new, after, before)
    return _written(old, before) == _written(new, after)


def _told(node: Node, artifacts: Artifacts, other: Artifacts) -> str:
    """A model's compiled SQL with ids for relations, all white space alike."""
    code = _own_code(node, artifacts, other)
    for each in (*_parents(node), text(node, "unique_id")):
        name = text(artifacts.node(each), "relation_name")
        if name:
            code = code.replace(name, each)
    return " ".join(code.split())


def _own_code(node: Node, artifacts: Artifacts, other: Artifacts) -> str:
    """Compiled SQL that reads the state's own relations, where dbt had it defer to the other's."""
    code = text(node, "compiled_code")
    for each in _parents(node):
        own, others = (text(of.node(each), "relation_name") for of in (artifacts, other))
        if own and others:
            code = code.replace(others, own)
    return code


def _written(node: Node, artifacts: Artifacts) -> tuple[str, ...]:
    """A model as people wrote it, with the macros of the project that it calls."""
    macros = section(artifacts.manifest, "macros")
    called = (section(macros, str(each)) for each in items(section(node, "depends_on"), "macros"))
    own = sorted(text(each, "macro_sql") for each in called if text(each, "package_name") != "dbt")
    return (" ".join(text(node, "raw_code").split()), *own)


def _parents(node: Node) -> tuple[str, ...]:
    return tuple(str(each) for each in items(section(node, "depends_on"), "nodes"))


def _below(changed: Iterable[str], models: Mapping[str, Node]) -> set[str]:
    children: dict[str, list[str]] = {}
    for name, node in models.items():
        for parent in _parents(node):
            children.setdefault(parent, []).append(name)
    found: set[str] = set()
    pending = list(changed)
    while pending:
        here = pending.pop()
        if here not in found:
            found.add(here)
            pending += children.get(here, ())
    return found


def _lacks(side: Side, laid_out: Side, data: Path) -> tuple[str, ...]:
    """The nodes of a state that lie elsewhere in ``data`` than the state's SQL says."""
    if side is laid_out:
        return ()
    theirs = laid_out.places
    return tuple(n for n, place in side.places.items() if theirs.get(n, place) != place)


def _copy(
    side: Side, laid_out: Side, other: Side, data: Path, file: Path, affected: frozenset[str]
) -> None:
    """The tables that did not change, as the state calls them.

    What was not built in ``data`` because dbt deferred to the ``other`` state lies there under the
    names of that one.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_name(f"{file.name}.wal").unlink(missing_ok=True)
    file.unlink(missing_ok=True)
    there = {(schema, name) for _, schema, name, _ in duck.relations_of(data)}
    with duck.open_writable(file) as connection:
        source = str(data).replace("'", "''")
        connection.execute(f"attach '{source}' as {duck.quoted(_SOURCE)} (read_only)")
        for node, (schema, _) in side.places.items():
            connection.execute(f"create schema if not exists {duck.quoted(file.stem, schema)}")
            found = (each.places.get(node) for each in (laid_out, other))
            place = next((each for each in found if each in there), None)
            if place is not None:
                target = side.quoted(node)
                held = duck.quoted(_SOURCE, *place)
                # A model that reads what it was before runs as it did when nothing was in it.
                rows = " limit 0" if node in affected else ""
                connection.execute(f"create or replace table {target} as from {held}{rows}")
        connection.execute("checkpoint")


_SOURCE = "t2s source"


def _run(
    side: Side, other: Artifacts, day: date, file: Path, affected: frozenset[str]
) -> dict[str, str]:
    """Runs the models that changed as on that ``day``; why some did not run, by node id."""
    problems: dict[str, str] = {}
    with duck.open_for_models(file, _MODEL_S) as connection:
        for node in side.places:
            if node not in affected:
                continue
            found = side.artifacts.node(node)
            found = {**found, "compiled_code": _own_code(found, side.artifacts, other)}
            step = dag.step(found, side.layout, side.schema.dialect, day, lambda _: frozenset())
            target = side.quoted(node)
            problem = step.problem or dag.run(connection, target, step.sql)
            if problem:
                problems[node] = problem
                connection.execute(f"drop table if exists {target}")
        connection.execute("checkpoint")
    return problems


@dataclass(frozen=True)
class OtherRows:
    """A table of both states whose rows are not the same: how many there were and are now.

    ``columns`` hold other values, by their names now; without any, the same values stand together
    otherwise. ``others_are_same`` says that the rows are the same in all other columns.
    """

    table: str
    was: int
    now: int
    columns: tuple[str, ...]
    others_are_same: bool = False

    def is_read_by(self, sql: str) -> bool:
        """Whether a query may see the difference, by the names in its text."""
        words = {word.lower() for word in _WORD.findall(sql)}
        if self.table.lower() not in words:
            return False
        if not self.others_are_same or _EVERYTHING.search(sql):
            return True
        return any(column.lower() in words for column in self.columns)


_WORD = re.compile(r"\w+")
_EVERYTHING = re.compile(r"(?<!count\()\*", re.IGNORECASE)


def other_rows(replay: Replay, before: Side, after: Side) -> tuple[OtherRows, ...]:
    """The tables whose rows a change made others, by the columns that both states have."""
    old, new = before.tables, after.tables
    unknown = replay.before.problems.keys() | replay.after.problems.keys()
    found: list[OtherRows] = []
    with (
        closing(duck.open_read_only(replay.before.file)) as was,
        closing(duck.open_read_only(replay.after.file)) as now,
    ):
        for each in sorted(replay.affected & old.keys() & new.keys() - unknown):
            pairs = _shared(old[each], new[each])
            places = (before.quoted(each), after.quoted(each))
            differing = _compared(new[each].name, pairs, places, was, now)
            if differing is not None:
                found.append(differing)
    return tuple(found)


def _shared(old: Table, new: Table) -> tuple[tuple[str, str], ...]:
    """(name before, name now) of the columns that a table has in both states."""
    renamed = renamed_columns(old.columns, new.columns)
    there = {column.name for column in new.columns}
    names = ((c.name, renamed.get(c.name, c.name)) for c in old.columns)
    return tuple((one, other) for one, other in names if other in there)


def _compared(
    table: str,
    pairs: Sequence[tuple[str, str]],
    places: tuple[str, str],
    was: Connection,
    now: Connection,
) -> OtherRows | None:
    """None where both have the same rows in these columns, in any order."""
    types = tuple(_types(*each) for each in ((was, places[0]), (now, places[1])))
    columns = [p for p in pairs if p[0].lower() in types[0] and p[1].lower() in types[1]]

    def marks(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[object, ...], ...] | None:
        asked = [_marks_sql(places[i], pairs, i, types) for i in (0, 1)]
        found = [duck.run(was, asked[0]), duck.run(now, asked[1])]
        rows = [each.rows[0] for each in found if isinstance(each, Rows)]
        return tuple(rows) if len(rows) == 2 else None

    found = marks(columns)
    if found is None or found[0] == found[1]:
        return None  # tables that cannot be read are said to be so by whoever asks them
    one, other = found
    changed = {p for p, a, b in zip(columns, one[2:], other[2:], strict=True) if a != b}
    rest = marks([pair for pair in columns if pair not in changed])
    return OtherRows(
        table,
        int(str(one[0])),
        int(str(other[0])),
        tuple(pair[1] for pair in columns if pair in changed),
        rest is not None and rest[0] == rest[1],
    )


def _types(connection: Connection, place: str) -> dict[str, str]:
    found = duck.run(connection, f"describe {place}", 10_000)
    rows = () if isinstance(found, QueryError) else found.rows
    return {str(row[0]).lower(): str(row[1]) for row in rows}


def _marks_sql(
    place: str,
    columns: Sequence[tuple[str, str]],
    side: int,
    types: tuple[Mapping[str, str], ...],
) -> str:
    """Counts the rows of a table, and adds up a hash of each and of each value, in any order."""
    values = []
    for pair in columns:
        name, kinds = duck.quoted(pair[side]), [types[i][pair[i].lower()] for i in (0, 1)]
        if {"DOUBLE", "FLOAT"} & set(kinds) or (
            kinds[0] != kinds[1] and all(_NUMBER.match(kind) for kind in kinds)
        ):
            name = f"round(cast({name} as double), 6)"
        elif kinds[0] != kinds[1]:
            name = f"cast({name} as varchar)"
        values.append(name)
    sums = [f"sum(hash({each})::hugeint)::varchar" for each in values]
    row = f"sum(hash({', '.join(values) or '1'})::hugeint)::varchar"
    return f"select {', '.join(('count(*)', row, *sums))} from {place}"


_NUMBER = re.compile(r"^(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|DECIMAL|DOUBLE|FLOAT)", re.ASCII)
