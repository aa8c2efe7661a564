"""Column lineage: which columns of other nodes a node's columns are made from, and how.

Nodes are read when something needs them, each once: a node whose columns the catalog lists is
read for its own lineage only, any other also when a node below it selects a star.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dbt_t2s import sql
from dbt_t2s.project import found as listed
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.found import Found
from dbt_t2s.project.outputs import Output, Relation, carried, source
from dbt_t2s.project.schema import Column, Issue, Level
from dbt_t2s.project.trace import Traced, trace

# Longer expressions are cut: nobody reads them.
LONGEST = 400

# Hand-written relation names have no edge in the manifest, so they are read inside one another;
# deeper ones are taken as they are named.
_DEEPEST = 30

# What dbt adds to a snapshot's own columns.
_SNAPSHOT_COLUMNS = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")

_NO_SQL = "its compiled SQL is not in the manifest"


@dataclass(frozen=True)
class _Read:
    """What a node's SQL puts out; ``problem`` says why it could not be read."""

    traced: Traced | None = None
    problem: str = ""


class Lineage:
    """The lineage of one project's columns, read on demand and kept."""

    def __init__(
        self,
        artifacts: Artifacts,
        dialect: str,
        root: Path | None = None,
        parse: Callable[[str, str], sql.exp.Expr] = sql.parse_one,
    ) -> None:
        """``root`` is where seed files lie; without it their headers are not read.

        ``parse`` gives trees (of SQL and a dialect) that are used up here.
        """
        self._artifacts = artifacts
        self._dialect = dialect
        self._root = root
        self._parse = parse
        self._by_name = _relations(artifacts)
        self._columns: dict[str, tuple[Found, ...]] = {}
        self._relation: dict[str, Relation] = {}
        self._read: dict[str, _Read] = {}
        self._active: list[str] = []

    def columns(self, unique_id: str) -> tuple[Found, ...]:
        """The node's columns with their lineage: of the catalog, its SQL, its file or its docs."""
        return self.attach(unique_id, self._known(unique_id))

    def all_columns(self, unique_id: str) -> tuple[str, ...]:
        """The names of the node's columns where all of them are known, else none."""
        found = self._as_relation(unique_id)
        return () if found.is_open else tuple(each.name for each in found.columns.values())

    def attach(self, unique_id: str, columns: tuple[Found, ...]) -> tuple[Found, ...]:
        """``columns`` of the node (found anywhere) with what each is made from."""
        traced = self._trace(unique_id).traced
        if traced is None:
            return columns
        outputs = _by_column(traced, columns)
        return tuple(self._with_lineage(each, outputs.get(each.name.lower())) for each in columns)

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
        traced = self._trace(unique_id).traced
        if traced is None:
            return {}
        outputs = traced.relation().columns
        return {
            name: tuple(self._split(each) for each in carried(output))
            for name, output in outputs.items()
        }

    def issues(self, wanted: Mapping[str, tuple[Column, ...]]) -> tuple[Issue, ...]:
        """What of these nodes' columns (by node id) could not be traced, and why."""
        unread: Counter[str] = Counter()
        found: list[Issue] = []
        for unique_id, columns in wanted.items():
            read = self._trace(unique_id)
            if read.traced is None:
                unread[read.problem] += bool(read.problem)
                continue
            reasons = Counter(_problems(read.traced, columns))
            for reason, count in sorted(reasons.items()):
                message = f"{count} of {len(columns)} columns cannot be traced: {reason}"
                found.append(Issue(Level.INFO, unique_id, message))
        for reason, count in sorted(unread.items()):
            if count:
                message = f"the columns of {count} nodes cannot be traced: {reason}"
                found.append(Issue(Level.INFO, "lineage", message, "dbt compile"))
        return tuple(found)

    def _sources(self, unique_id: str, column: str) -> tuple[str, ...] | None:
        """One step up; None where the column starts here or its node cannot be read."""
        traced = self._trace(unique_id).traced
        if traced is None:
            return None
        output = traced.relation().column(column)
        return output.sources if output is not None and not output.problem else None

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

    def _with_lineage(self, column: Found, output: Output | None) -> Found:
        if output is None or output.problem:
            return column
        expression = "" if output.passed else sql.to_sql(output.value, self._dialect)
        if len(expression) > LONGEST:
            expression = expression[: LONGEST - 1] + "…"
        return replace(column, sources=output.sources, expression=expression)

    # --- reading nodes, each once, those above first -------------------------------------------

    def _trace(self, unique_id: str) -> _Read:
        """The node's own SQL, read; sources and seeds have none and no problem."""
        if unique_id not in self._read:
            for each in self._unread_above(unique_id):
                if each not in self._active:
                    self._known(each)
            self._active.append(unique_id)
            self._read[unique_id] = self._read_sql(self._artifacts.node(unique_id))
            self._active.pop()
        return self._read[unique_id]

    def _read_sql(self, node: Node) -> _Read:
        if node.get("resource_type") not in ("model", "snapshot"):
            return _Read()
        if text(node, "language") not in ("", "sql"):
            return _Read(problem=f"a {text(node, 'language')} model has no SQL")
        code = text(node, "compiled_code")
        if not code.strip():
            return _Read(problem=_NO_SQL)
        try:
            tree = self._parse(code, self._dialect)
            return _Read(trace(tree, self._dialect, self._lookup))
        except sql.SqlError as error:
            return _Read(problem=f"its SQL cannot be read: {str(error).splitlines()[0]}")

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
        traced = self._trace(unique_id).traced
        if traced is None or traced.hidden or any(not each.name for each in traced.outputs):
            return listed.declared(node)
        kinds = listed.declared_types(node)
        columns = [
            self._typed(each, kinds.get(each.name.lower(), ""), node)
            for each in traced.relation().columns.values()
        ]
        if node.get("resource_type") == "snapshot":
            names = section(node, "config", "snapshot_meta_column_names")
            columns += [
                listed.typed(str(names.get(each) or each), "", node) for each in _SNAPSHOT_COLUMNS
            ]
        return tuple(columns)

    def _typed(self, output: Output, declared_type: str, node: Node) -> Found:
        """The type that the docs declare, else the one that the SQL implies."""
        type_ = output.value.type
        if declared_type or type_ is None or type_.is_type("unknown", "null"):
            return replace(
                listed.typed(output.name, declared_type, node),
                origin="declared" if declared_type else "sql",
            )
        written = sql.to_sql(type_, self._dialect)
        return Found(output.name, written, "sql", listed.INFERRED)

    def _lookup(self, parts: tuple[str, ...]) -> Relation:
        """The relation that SQL calls so."""
        unique_id = self._by_name.get(parts)
        if not unique_id:
            return Relation({}, f"{'.'.join(parts)} is no node of the project")
        if unique_id in self._active:
            return Relation({}, "it reads itself")
        if unique_id not in self._relation:
            if len(self._active) > _DEEPEST and unique_id not in self._columns:
                return Relation({}, f"too long a chain above {unique_id}", unique_id)
            self._relation[unique_id] = self._as_relation(unique_id)
        return self._relation[unique_id]

    def _as_relation(self, unique_id: str) -> Relation:
        known = self._known(unique_id)
        columns = {
            each.name.lower(): source(
                unique_id,
                each.name,
                sql.data_type(each.type, self._dialect) if each.type else None,
            )
            for each in known
        }
        if not known:
            return Relation({}, f"the columns of {unique_id} are not known", unique_id)
        # Docs may list some columns only: others are taken at their word.
        whole = all(each.origin in ("catalog", "sql") for each in known)
        read = self._read.get(unique_id)
        whole = whole or (read is not None and read.traced is not None and not read.traced.hidden)
        return Relation(columns, unique_id="" if whole else unique_id)


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
        name = text(node, "identifier") or text(node, "alias") or text(node, "name")
        whole = (text(node, "database"), text(node, "schema"), name)
        parts = tuple(part.lower() for part in whole if part)
        for start in range(len(parts)):
            short = parts[start:]
            named[short] = unique_id if named.get(short, unique_id) == unique_id else ""
    return _Relations(frozenset(ids), named)


def _readable(artifacts: Artifacts) -> Iterator[Node]:
    for node in artifacts.nodes("model", "snapshot", "seed"):
        if text(node, "relation_name"):
            yield node
    for node in section(artifacts.manifest, "sources").values():
        if isinstance(node, Mapping):
            yield node


def _by_column(traced: Traced, columns: Sequence[Found | Column]) -> dict[str, Output]:
    """The outputs by the built columns' names; unnamed ones by their place where that is sure."""
    known = traced.relation()
    found = {each.name.lower(): known.column(each.name) for each in columns}
    if not traced.hidden and len(columns) == len(traced.outputs):
        for column, output in zip(columns, traced.outputs, strict=True):
            found[column.name.lower()] = found[column.name.lower()] or output
    return {name: output for name, output in found.items() if output is not None}


def _problems(traced: Traced, columns: Sequence[Found | Column]) -> Iterator[str]:
    outputs = _by_column(traced, columns)
    for each in columns:
        output = outputs.get(each.name.lower())
        if output is None and each.name.lower() not in _SNAPSHOT_COLUMNS:
            yield traced.hidden or "no output of its SQL is called so"
        elif output is not None and output.problem:
            yield output.problem
