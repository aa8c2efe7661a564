"""Column lineage: which columns of other nodes a node's columns are made from, and how.

Nodes are read when something needs them, each once: a node whose columns the catalog lists is
read for its own lineage only, any other also when a node below it selects a star.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dbt_t2s import sql
from dbt_t2s.project import found as listed
from dbt_t2s.project import node_sql
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.cases import Said
from dbt_t2s.project.found import Found
from dbt_t2s.project.node_sql import Made, NodeSql, Parse
from dbt_t2s.project.outputs import Relation, source
from dbt_t2s.project.schema import Column, Issue, Level

# Hand-written relation names have no edge in the manifest, so they are read inside one another;
# deeper ones are taken as they are named.
_DEEPEST = 30

# What dbt adds to a snapshot's own columns.
_SNAPSHOT_COLUMNS = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")

_NO_SQL = NodeSql()
_NOT_COMPILED = NodeSql(problem="its compiled SQL is not in the manifest")


@dataclass(frozen=True)
class _Listed:
    """What is known of the columns (name, type) of a node or of something that is none.

    ``unknown`` says why there may be others; ``is_open`` that these are then the node's.
    """

    unique_id: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    unknown: str = ""
    is_open: bool = False


class Lineage:
    """The lineage of one project's columns, read on demand and kept."""

    def __init__(
        self,
        artifacts: Artifacts,
        dialect: str,
        root: Path | None = None,
        parse: Parse = sql.parse_one,
        remembered: Sequence[NodeSql] = (),
    ) -> None:
        """``root`` is where seed files lie; without it their headers are not read.

        ``parse`` gives trees (of SQL and a dialect); ``remembered`` is what an earlier run read,
        of which what still holds is not read again.
        """
        self._artifacts = artifacts
        self.dialect = dialect
        self._root = root
        self._parse = parse
        self._by_name = _relations(artifacts)
        self._columns: dict[str, tuple[Found, ...]] = {}
        self._listed: dict[str, _Listed] = {}
        self._relation: dict[str, Relation] = {}
        self._read: dict[str, NodeSql] = {}
        self._remembered = {each.key: each for each in remembered}
        self._active: list[str] = []

    @property
    def readings(self) -> tuple[NodeSql, ...]:
        """What was read so far, for the next run to remember."""
        return tuple({each.key: each for each in self._read.values() if each.key}.values())

    def columns(self, unique_id: str) -> tuple[Found, ...]:
        """The node's columns with their lineage: of the catalog, its SQL, its file or its docs."""
        return self.attach(unique_id, self._known(unique_id))

    def all_columns(self, unique_id: str) -> tuple[str, ...]:
        """The names of the node's columns where all of them are known, else none."""
        found = self._list(unique_id)
        return () if found.unknown or found.is_open else tuple(name for name, _ in found.columns)

    def attach(self, unique_id: str, columns: tuple[Found, ...]) -> tuple[Found, ...]:
        """``columns`` of the node (found anywhere) with what each is made from."""
        made = _by_column(self._trace(unique_id), columns)
        return tuple(_with_lineage(each, made.get(each.name.lower())) for each in columns)

    def roots(self, unique_id: str, column: str) -> tuple[str, ...]:
        """The columns of sources, seeds and unread nodes that a column comes from in the end."""
        found: dict[str, None] = {}
        seen: set[tuple[str, str]] = set()
        pending = [(unique_id, column)]
        while pending:
            here = pending.pop()
            if (here[0], here[1].lower()) in seen:
                continue
            seen.add((here[0], here[1].lower()))
            above = self._sources(*here)
            if above is None:
                found[f"{here[0]}.{here[1]}"] = None
                continue
            pending += [self._split(each) for each in reversed(above)]
        return tuple(found)

    def carried(self, unique_id: str) -> dict[str, tuple[tuple[str, str], ...]]:
        """By lower-case output column, the (node id, column)s whose values it may show.

        Empty for a node whose SQL cannot be read; sources and seeds have none.
        """
        return {
            name: tuple(self._split(each) for each in made.shown)
            for name, made in self._trace(unique_id).by_name.items()
        }

    def copied(self, unique_id: str, column: str) -> tuple[str, str] | None:
        """The (node id, column) one step up that a column is, perhaps under another type."""
        made = self._trace(unique_id).column(column)
        return self._split(made.copy_of) if made is not None and made.copy_of else None

    def terms(self, unique_id: str, column: str) -> tuple[str, tuple[Said, ...]]:
        """What the CASE that makes a column says, and the id of the node where it stands."""
        seen: set[tuple[str, str]] = set()
        while (unique_id, column.lower()) not in seen:
            seen.add((unique_id, column.lower()))
            made = self._trace(unique_id).column(column)
            if made is None or not made.passed or len(made.sources) != 1:
                return unique_id, made.terms if made is not None else ()
            unique_id, column = self._split(made.sources[0])
        return unique_id, ()

    def issues(self, wanted: Mapping[str, tuple[Column, ...]]) -> tuple[Issue, ...]:
        """What of these nodes' columns (by node id) could not be traced, and why."""
        unread: Counter[str] = Counter()
        found: list[Issue] = []
        for unique_id, columns in wanted.items():
            read = self._trace(unique_id)
            if read.problem:
                unread[read.problem] += 1
            if not read.key or read.problem:
                continue
            reasons = Counter(_problems(read, columns))
            for reason, count in sorted(reasons.items()):
                message = f"{count} of {len(columns)} columns cannot be traced: {reason}"
                found.append(Issue(Level.INFO, unique_id, message))
        for reason, count in sorted(unread.items()):
            message = f"the columns of {count} nodes cannot be traced: {reason}"
            found.append(Issue(Level.INFO, "lineage", message, "dbt compile"))
        return tuple(found)

    def _sources(self, unique_id: str, column: str) -> tuple[str, ...] | None:
        """One step up; None where the column starts here or its node cannot be read."""
        made = self._trace(unique_id).column(column)
        return made.sources if made is not None and not made.problem else None

    def _split(self, reference: str) -> tuple[str, str]:
        """Node id and column of ``unique_id.column``; a column's name may hold dots."""
        at = reference.find(".")
        while at >= 0:
            if reference[:at] in self._by_name.ids:
                longer = self._longer(reference, at)
                return reference[:longer], reference[longer + 1 :]
            at = reference.find(".", at + 1)
        head, _, tail = reference.rpartition(".")
        return head, tail

    def _longer(self, reference: str, at: int) -> int:
        """A version's id starts with that of an unversioned node of the same name."""
        nxt = reference.find(".", at + 1)
        return nxt if nxt > 0 and reference[:nxt] in self._by_name.ids else at

    # --- reading nodes, each once, those above first -------------------------------------------

    def _trace(self, unique_id: str) -> NodeSql:
        """The node's own SQL, read; sources and seeds have none and no problem."""
        if unique_id not in self._read:
            for each in self._unread_above(unique_id):
                if each not in self._active:
                    self._known(each)
            self._active.append(unique_id)
            self._read[unique_id] = self._read_sql(self._artifacts.node(unique_id))
            self._active.pop()
        return self._read[unique_id]

    def _read_sql(self, node: Node) -> NodeSql:
        if node.get("resource_type") not in ("model", "snapshot"):
            return _NO_SQL
        if text(node, "language") not in ("", "sql"):
            return NodeSql(problem=f"a {text(node, 'language')} model has no SQL")
        code = text(node, "compiled_code")
        if not code.strip():
            return _NOT_COMPILED
        before = self._remembered.get(node_sql.key_of(code, self.dialect))
        if before is not None and before.known == self._stamp(before.relations):
            return before
        read = node_sql.read(code, self.dialect, self._lookup, self._parse)
        return replace(read, known=self._stamp(read.relations))

    def _stamp(self, names: Sequence[tuple[str, ...]]) -> str:
        """A digest of what these names mean and of what is known of it."""
        return node_sql.stamp([self._look_up(each) for each in names])

    def _unread_above(self, unique_id: str) -> Iterator[str]:
        """The nodes above whose columns are not known yet, in the order to read them."""
        done: set[str] = {unique_id}
        pending = [(each, False) for each in self._parents(unique_id)]
        while pending:
            here, ready = pending.pop()
            if ready:
                yield here
            elif here not in done:
                done.add(here)
                pending.append((here, True))
                if here not in self._columns and not listed.from_catalog(self._artifacts, here):
                    pending += [(each, False) for each in self._parents(here)]

    def _parents(self, unique_id: str) -> tuple[str, ...]:
        depends = section(self._artifacts.node(unique_id), "depends_on")
        return tuple(str(each) for each in items(depends, "nodes"))

    def _known(self, unique_id: str) -> tuple[Found, ...]:
        if unique_id not in self._columns:
            self._columns[unique_id] = self._find(unique_id)
        return self._columns[unique_id]

    def _find(self, unique_id: str) -> tuple[Found, ...]:
        node = self._artifacts.node(unique_id)
        built = listed.from_catalog(self._artifacts, unique_id)
        if built:
            return built
        if node.get("resource_type") == "seed":
            return listed.from_seed(node, self._root)
        read = self._trace(unique_id)
        if not read.is_whole or any(not each.name for each in read.columns):
            return listed.declared(node)
        kinds = listed.declared_types(node)
        columns = [
            _typed(each, kinds.get(each.name.lower(), ""), node) for each in read.by_name.values()
        ]
        if node.get("resource_type") == "snapshot":
            names = section(node, "config", "snapshot_meta_column_names")
            columns += [
                listed.typed(str(names.get(each) or each), "", node) for each in _SNAPSHOT_COLUMNS
            ]
        return tuple(columns)

    def _lookup(self, parts: tuple[str, ...]) -> Relation:
        """The relation that SQL calls so."""
        found = self._look_up(parts)
        if not found.unique_id:
            return Relation({}, found.unknown)
        if found.unique_id not in self._relation or found != self._listed.get(found.unique_id):
            self._relation[found.unique_id] = self._relation_of(found)
        return self._relation[found.unique_id]

    def _look_up(self, parts: tuple[str, ...]) -> _Listed:
        unique_id = self._by_name.get(parts)
        if not unique_id:
            return _Listed(unknown=f"{'.'.join(parts)} is no node of the project")
        if unique_id in self._active:
            return _Listed(unknown="it reads itself")
        if unique_id not in self._listed:
            if len(self._active) > _DEEPEST and unique_id not in self._columns:
                why = f"too long a chain above {unique_id}"
                return _Listed(unique_id, unknown=why, is_open=True)
            self._listed[unique_id] = self._list(unique_id)
        return self._listed[unique_id]

    def _list(self, unique_id: str) -> _Listed:
        known = self._known(unique_id)
        if not known:
            why = f"the columns of {unique_id} are not known"
            return _Listed(unique_id, unknown=why, is_open=True)
        # Docs may list some columns only: others are taken at their word.
        whole = all(each.origin in ("catalog", "sql") for each in known)
        whole = whole or self._read.get(unique_id, _NO_SQL).is_whole
        columns = tuple((each.name, each.type) for each in known)
        return _Listed(unique_id, columns, is_open=not whole)

    def _relation_of(self, found: _Listed) -> Relation:
        columns = {
            name.lower(): source(
                found.unique_id, name, sql.data_type(type_, self.dialect) if type_ else None
            )
            for name, type_ in found.columns
        }
        return Relation(columns, found.unknown, found.unique_id if found.is_open else "")


def _typed(made: Made, declared_type: str, node: Node) -> Found:
    """The type that the docs declare, else the one that the SQL implies."""
    if declared_type or not made.type:
        origin = "declared" if declared_type else "sql"
        return replace(listed.typed(made.name, declared_type, node), origin=origin)
    return Found(made.name, made.type, "sql", listed.INFERRED)


def _with_lineage(column: Found, made: Made | None) -> Found:
    if made is None or made.problem:
        return column
    return replace(column, sources=made.sources, expression=made.expression)


@dataclass(frozen=True)
class _Relations:
    """Node ids by what SQL calls them: all name parts, or as many as tell a node apart."""

    ids: frozenset[str]
    named: Mapping[tuple[str, ...], str]

    def get(self, parts: tuple[str, ...]) -> str:
        """The node's id; empty where none or several are called so."""
        return self.named.get(parts, "")


def _relations(artifacts: Artifacts) -> _Relations:
    named: dict[tuple[str, ...], str] = {}
    ids: set[str] = set()
    for node in _readable(artifacts):
        unique_id = text(node, "unique_id")
        ids.add(unique_id)
        for parts in _names(node):
            named[parts] = unique_id if named.get(parts, unique_id) == unique_id else ""
    return _Relations(frozenset(ids), named)


def _names(node: Node) -> Iterator[tuple[str, ...]]:
    """The name parts by which SQL may call a node."""
    name = text(node, "identifier") or text(node, "alias") or text(node, "name")
    is_source = node.get("resource_type") == "source"
    if text(node, "relation_name") or is_source:
        whole = (text(node, "database"), text(node, "schema"), name)
        parts = tuple(part.lower() for part in whole if part)
        yield from (parts[start:] for start in range(len(parts)))
    else:  # an ephemeral model, whose CTE not every compiler puts in
        yield (f"__dbt__cte__{name}".lower(),)


def _readable(artifacts: Artifacts) -> Iterator[Node]:
    yield from artifacts.nodes("model", "snapshot", "seed")
    for node in section(artifacts.manifest, "sources").values():
        if isinstance(node, Mapping):
            yield node


def _by_column(read: NodeSql, columns: Sequence[Found | Column]) -> dict[str, Made]:
    """What is made by the built columns' names; unnamed ones by their place where it is sure."""
    found = {each.name.lower(): read.column(each.name) for each in columns}
    if not read.hidden and len(columns) == len(read.columns):
        for column, made in zip(columns, read.columns, strict=True):
            found[column.name.lower()] = found[column.name.lower()] or made
    return {name: made for name, made in found.items() if made is not None}


def _problems(read: NodeSql, columns: Sequence[Found | Column]) -> Iterator[str]:
    known = _by_column(read, columns)
    for each in columns:
        made = known.get(each.name.lower())
        if made is None and each.name.lower() not in _SNAPSHOT_COLUMNS:
            yield read.hidden or "no output of its SQL is called so"
        elif made is not None and made.problem:
            yield made.problem
