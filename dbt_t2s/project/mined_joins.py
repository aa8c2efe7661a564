"""Joins that the project's compiled SQL makes, counted and told in terms of queryable tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dbt_t2s.project.asked import Asked
from dbt_t2s.project.known import relation_key
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.schema import Table


@dataclass(frozen=True)
class Place:
    """A column of a node: a queryable table's name or another node's id, and the column."""

    node: str
    column: str


@dataclass(frozen=True)
class Mined:
    """Two tables that statements join by equal columns; ``nodes`` are the statements' ids."""

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    nodes: tuple[str, ...]


def find(
    asked: Sequence[tuple[str, Asked]],
    tables: Sequence[Table],
    relations: Mapping[str, str],
    lineage: Lineage,
) -> tuple[Mined, ...]:
    """The joins between ``tables``, direct ones and those of the models they are made from.

    ``asked`` says of each node what its SQL holds equal; ``relations`` maps lower-case relations of
    all nodes, queryable or not, to their ids. SQL that cannot be read gives no joins: the mining of
    patterns says so of each statement.
    """
    project = _Project(tables, relations, lineage)
    seen: dict[tuple[tuple[Place, Place], ...], dict[str, None]] = defaultdict(dict)
    for node_id, each in asked:
        for join in each.joins:
            pairs = project.placed(join)
            if pairs:
                seen[pairs][node_id] = None
    found: dict[tuple[str, tuple[str, ...], str, tuple[str, ...]], dict[str, None]] = {}
    for pairs, nodes in sorted(seen.items(), key=lambda each: repr(each[0])):
        for key in project.told(pairs):
            found.setdefault(key, {}).update(nodes)
    return tuple(Mined(*key, tuple(nodes)) for key, nodes in found.items())


class _Project:
    """The project's tables, and the models that pass columns on to them."""

    def __init__(
        self, tables: Sequence[Table], relations: Mapping[str, str], lineage: Lineage
    ) -> None:
        self._tables = {table.name: table for table in tables}
        self._names = {table.unique_id: table.name for table in tables}
        self._ids = {relation_key(name): node_id for name, node_id in relations.items()}
        self._lineage = lineage
        self._roots: dict[Place, Place] = {}

    def placed(self, join: Sequence[tuple[str, str]]) -> tuple[tuple[Place, Place], ...]:
        """A join's pairs of places, in order; none where both sides are of one node."""
        pairs = []
        for ends in join:
            one, two = sorted(map(self._place, ends), key=lambda end: (end.node, end.column))
            pairs.append((one, two))
        pairs.sort(key=lambda pair: (pair[0].column, pair[1].column))
        return tuple(pairs) if all(one.node != two.node for one, two in pairs) else ()

    def told(
        self, pairs: Sequence[tuple[Place, Place]]
    ) -> Iterator[tuple[str, tuple[str, ...], str, tuple[str, ...]]]:
        """The join in terms of queryable tables; nothing where these do not pass the columns on."""
        (left, right) = (pairs[0][0].node, pairs[0][1].node)
        if left in self._names and right in self._names:
            yield (
                self._names[left],
                tuple(one.column for one, _ in pairs),
                self._names[right],
                tuple(two.column for _, two in pairs),
            )
            return
        if len(pairs) > 1:
            return
        ends = [self._carriers.get(self._root(each), ()) for each in pairs[0]]
        for many, ones in (ends, ends[::-1]):
            keys = [each for each in ones if self._tables[each.node].primary_key == (each.column,)]
            if len(keys) == 1:
                key = keys[0]
                for each in many:
                    if each.node != key.node:
                        yield (each.node, (each.column,), key.node, (key.column,))

    @cached_property
    def _carriers(self) -> Mapping[Place, tuple[Place, ...]]:
        """The queryable columns by the column that they pass on."""
        found: dict[Place, list[Place]] = defaultdict(list)
        for table in self._tables.values():
            for column in table.columns:
                if column.name in table.primary_key or _may_refer(column.name):
                    root = self._root(Place(table.unique_id, column.name.lower()))
                    found[root].append(Place(table.name, column.name))
        return {root: tuple(places) for root, places in found.items()}

    def _root(self, place: Place) -> Place:
        """The column that ``place`` passes on, followed through the models before it."""
        trail: dict[Place, None] = {}
        here = place
        while here not in self._roots and here not in trail:
            trail[here] = None
            above = self._lineage.copied(here.node, here.column)
            if above is None:
                break
            here = Place(above[0], above[1].lower())
        root = self._roots.get(here, here)
        self._roots.update(dict.fromkeys(trail, root))
        return root

    def _place(self, written: str) -> Place:
        """``relation.column`` as a place."""
        relation, _, column = written.rpartition(".")
        return Place(self._ids.get(relation, relation), column)


def _may_refer(name: str) -> bool:
    """Whether a column is called like a key; only such ones are followed, which keeps it quick."""
    return bool(re.search(r"(id|key|code|no|num|number|sk|fk|pk|email|sku)$", name.lower()))
