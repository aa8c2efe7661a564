"""Which columns hold personal data: the marked ones, and those that pass a marked one on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, Node, items, section
from dbt_t2s.project.schema import Issue, Kind, Level


@dataclass(frozen=True)
class _Marks:
    """One node's marks, by lower-case column name.

    ``said`` are those its docs decide either way; ``inherited`` says which node a name comes from.
    ``whole`` is true where the node is marked and none of its columns is.
    """

    said: Mapping[str, bool]
    inherited: Mapping[str, str]
    whole: bool

    def personal(self) -> frozenset[str]:
        marked = {name for name, yes in self.said.items() if yes}
        passed = {name for name in self.inherited if self.said.get(name) is None}
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
                if kind in (Kind.TEXT, Kind.OTHER) and marks.said.get(name.lower()) is None
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


def marked(artifacts: Artifacts, marks: Sequence[str] = meta.PERSONAL) -> Marked:
    """The marks of all nodes and sources; a mark goes down to columns of the same name.

    A node's docs may say that a column is not personal (``personal: false``), which ends the way.
    """
    nodes = {
        name: node
        for part in ("nodes", "sources")
        for name, node in section(artifacts.manifest, part).items()
        if isinstance(node, Mapping)
    }
    found: dict[str, _Marks] = {}
    for unique_id in _from_the_top(nodes):
        node = nodes[unique_id]
        inherited: dict[str, str] = {}
        for parent in _parents(node, nodes):
            above = found.get(parent)
            for name in above.personal() if above else ():
                inherited.setdefault(name, parent)
        said = _said(node, marks)
        whole = bool(meta.personal(node, marks)) and not any(said.values())
        found[unique_id] = _Marks(said, inherited, whole)
    return Marked(found)


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
