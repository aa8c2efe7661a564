"""How columns pass through models: up to the columns that they come from, and who shares values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dbt_t2s.judge.query_columns import Key, Origin, Place
from dbt_t2s.judge.usage import Usage


class Trails:
    """The columns above a column, by what the SQL of each model says (``usages`` by node id)."""

    def __init__(self, usages: Mapping[str, Usage]) -> None:
        self._outputs = {node: dict(usage.outputs) for node, usage in usages.items()}
        self._open = {node: usage.open for node, usage in usages.items()}
        self._needs = {node: dict(usage.needs) for node, usage in usages.items()}
        self._matched = {node: dict(usage.matched) for node, usage in usages.items()}
        self._trails: dict[Place, tuple[Origin, ...]] = {}

    def above(self, place: Place) -> tuple[Origin, ...]:
        """One step up; none where the column starts here or is computed."""
        node, name = place
        outputs = self._outputs.get(node)
        if outputs is None:
            return ()
        behind = self._open[node]
        if name not in outputs and len(behind) == 1 and behind[0] != node:
            return (Origin((behind[0], name)),)
        return outputs.get(name, ())

    def trail(self, place: Place) -> tuple[Origin, ...]:
        """The column itself and all whose values it holds, each once, the nearest first."""
        return tuple(each for each in self._whole_trail(place) if not each.scaled)

    def _whole_trail(self, place: Place) -> tuple[Origin, ...]:
        if place not in self._trails:
            found = {place: Origin(place)}
            pending = [Origin(place)]
            while pending:
                here = pending.pop(0)
                for each in self.above(here.place):
                    if each.place not in found:
                        found[each.place] = each.after(here.grouped, here.scaled)
                        pending.append(found[each.place])
            self._trails[place] = tuple(found.values())
        return self._trails[place]

    def matched(self, place: Place) -> tuple[Key, ...]:
        """The keys that are unique if each value of this column stands in one row."""
        return self._matched.get(place[0], {}).get(place[1], ())

    def needs(self, place: Place) -> tuple[Place, ...]:
        """The column itself and all that must be filled for it to be filled."""
        found = {place: None}
        pending = [place]
        while pending:
            node, name = pending.pop()
            of_node = self._needs.get(node)
            if of_node is None:
                continue
            behind = self._open[node] if name not in of_node else ()
            for each in (*of_node.get(name, ()), *((above, name) for above in behind)):
                if each not in found:
                    found[each] = None
                    pending.append(each)
        return tuple(found)

    def together(
        self, node: str, columns: Iterable[str], *, scaled: bool = False
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The nodes that hold all of these columns of ``node`` in rows of the same grain.

        With ``scaled`` also those that hold all of them before they were scaled.
        """
        names = tuple(columns)
        trails = [self._whole_trail((node, name)) for name in names]
        for first in trails[0] if trails else ():
            above = first.place[0]
            if first.grouped or (first.scaled and not scaled):
                continue
            held = [next((o.place[1] for o in t if _is_beside(o, first)), "") for t in trails]
            if all(held):
                yield above, tuple(held)


def _is_beside(origin: Origin, first: Origin) -> bool:
    same = origin.place[0] == first.place[0] and origin.scaled is first.scaled
    return same and not origin.grouped


class Domains:
    """Which columns hold values of one kind: they are compared, tested against, or passed on."""

    def __init__(self) -> None:
        self._parents: dict[Place, Place] = {}

    def join(self, one: Place, other: Place) -> None:
        a, b = self.of(one), self.of(other)
        if a != b:
            first, second = sorted((a, b))
            self._parents[second] = first

    def of(self, place: Place) -> Place:
        """The place that stands for all that share values with this one."""
        root = place
        while self._parents.get(root, root) != root:
            root = self._parents[root]
        while self._parents.get(place, place) != root and place != root:
            self._parents[place], place = root, self._parents[place]
        return root

    def members(self) -> Mapping[Place, tuple[Place, ...]]:
        found: dict[Place, list[Place]] = {}
        for place in sorted({*self._parents, *self._parents.values()}):
            found.setdefault(self.of(place), []).append(place)
        return {root: tuple(group) for root, group in found.items()}
