"""Which columns hold personal data: the marked ones, what passes them on, what looks like it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s.project import columns as table_columns
from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, Node, items, section
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.schema import Column, Issue, Kind, Level, Role

# Kinds of columns that hold personal data where only their table is marked.
_MAY_HOLD = (Kind.TEXT, Kind.OTHER)
# What such data looks like, or is called, where nobody marked it.
_FORMATS = frozenset({"email", "phone", "IBAN"})
_NAME = re.compile(
    r"(^|_)(e_?mail|email_address|phone|mobile|telephone|iban|ssn|passport|first_name|last_name|"
    r"surname|birth_?date|date_of_birth|dob|street|street_address|ip_address)(_|$)"
)


def may_be_personal(column: Column) -> bool:
    """Whether a column that nobody speaks of looks like personal data."""
    if column.personal or column.cleared or column.role not in (Role.TEXT, Role.CATEGORY):
        return False
    return column.format in _FORMATS or _NAME.search(column.name.lower()) is not None


@dataclass(frozen=True)
class _Marks:
    """One node's marks, by lower-case column name.

    ``said`` are those its docs decide either way; ``inherited`` says which node a name comes from.
    ``whole`` is true where the node is marked and none of its columns is; ``texts`` are then its
    columns that may hold it, as far as they are known without the data.
    """

    said: Mapping[str, bool]
    inherited: Mapping[str, str]
    whole: bool
    texts: frozenset[str] = frozenset()

    def personal(self) -> frozenset[str]:
        marked = {name for name, yes in self.said.items() if yes}
        passed = {name for name in (*self.inherited, *self.texts) if self.said.get(name) is None}
        return frozenset(marked | passed)


@dataclass(frozen=True)
class Marked:
    """The marks of every node, by its id."""

    nodes: Mapping[str, _Marks]

    def of(self, unique_id: str, columns: Sequence[tuple[str, Kind]]) -> frozenset[str]:
        """The names among a node's ``columns`` that hold personal data.

        A node so marked, none of whose columns is, may hold it in any text column: then all are.
        """
        marks = self.nodes.get(unique_id)
        if marks is None:
            return frozenset()
        private = marks.personal()
        found = {name for name, _ in columns if name.lower() in private}
        if marks.whole:
            found |= {
                name
                for name, kind in columns
                if kind in _MAY_HOLD and marks.said.get(name.lower()) is None
            }
        return frozenset(found)

    def issues(self, unique_id: str, private: frozenset[str]) -> tuple[Issue, ...]:
        """Says which of the ``private`` columns only got so through a node above."""
        marks = self.nodes.get(unique_id)
        above = marks.inherited if marks else {}
        passed = sorted(name for name in private if marks and marks.said.get(name.lower()) is None)
        origins = sorted({above[name.lower()] for name in passed if name.lower() in above})
        names = [name for name in passed if name.lower() in above]
        if not names:
            return ()
        message = f"not sampled, as personal data above it: {', '.join(names)}"
        hint = "tag them too, or say `personal: false` under meta.t2s"
        return (Issue(Level.INFO, unique_id, f"{message} ({', '.join(origins)})", hint),)


def marked(
    artifacts: Artifacts, marks: Sequence[str] = meta.PERSONAL, lineage: Lineage | None = None
) -> Marked:
    """The marks of all nodes and sources; a mark goes down to columns of the same name.

    With ``lineage`` also to columns of any name whose SQL may show a marked column's values. A
    node's docs may say that a column is not personal (``personal: false``), which ends the way.
    """
    nodes = {
        name: node
        for part in ("nodes", "sources")
        for name, node in section(artifacts.manifest, part).items()
        if isinstance(node, Mapping)
    }
    found: dict[str, _Marks] = {}
    touched: set[str] = set()
    for unique_id in _from_the_top(nodes):
        node = nodes[unique_id]
        above = [parent for parent in _parents(node, nodes) if parent in touched]
        inherited = {name: parent for parent in above for name in found[parent].personal()}
        if lineage is not None and above:
            inherited |= _shown(lineage, unique_id, found)
        said = _said(node, marks)
        whole = bool(meta.personal(node, marks)) and not any(said.values())
        texts = _texts(lineage, unique_id) if lineage is not None and whole else frozenset()
        found[unique_id] = _Marks(said, inherited, whole, texts)
        if above or whole or found[unique_id].personal():
            touched.add(unique_id)
    return Marked(found)


def _shown(lineage: Lineage, unique_id: str, found: Mapping[str, _Marks]) -> dict[str, str]:
    """The node's columns that may show a personal column's values, and the node that has it."""
    return {
        name: parent
        for name, sources in lineage.carried(unique_id).items()
        for parent, column in sources
        if parent in found and column.lower() in found[parent].personal()
    }


def _texts(lineage: Lineage, unique_id: str) -> frozenset[str]:
    known = ((each.name, table_columns.kind_of(each.type)) for each in lineage.columns(unique_id))
    return frozenset(name.lower() for name, kind in known if kind in _MAY_HOLD)


def _said(node: Node, marks: Sequence[str]) -> dict[str, bool]:
    decided = {
        str(name).lower(): meta.personal(column, marks)
        for name, column in section(node, "columns").items()
        if isinstance(column, Mapping)
    }
    return {name: yes for name, yes in decided.items() if yes is not None}


def _parents(node: Node, nodes: Mapping[str, Node]) -> tuple[str, ...]:
    above = items(section(node, "depends_on"), "nodes")
    return tuple(sorted(each for each in above if isinstance(each, str) and each in nodes))


def _from_the_top(nodes: Mapping[str, Node]) -> Iterator[str]:
    """Node ids, parents first; a cycle, which dbt forbids, is cut where it is met."""
    done: set[str] = set()
    for start in sorted(nodes):
        trail = [(start, iter(_parents(nodes[start], nodes)))]
        met = {start}
        while trail:
            here, above = trail[-1]
            following = next((each for each in above if each not in done and each not in met), None)
            if following is not None:
                met.add(following)
                trail.append((following, iter(_parents(nodes[following], nodes))))
                continue
            trail.pop()
            if here not in done:
                done.add(here)
                yield here
