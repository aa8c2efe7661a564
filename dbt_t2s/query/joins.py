"""The join graph: which table reaches which along many-to-one edges, proven ones first."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from dbt_t2s.project.schema import Cardinality, Join, ProjectSchema


class JoinGraph:
    """Paths that never multiply rows: each step goes from the many side to the one side."""

    def __init__(
        self,
        schema: ProjectSchema,
        without: frozenset[Join] = frozenset(),
        through: frozenset[str] = frozenset(),
    ) -> None:
        """``without`` are edges that do not count; of paths of one length that through the tables
        ``through`` comes first, then the one that most queries take and fewest rows lack."""
        self._edges: dict[str, list[Join]] = {table.name: [] for table in schema.tables}
        for join in schema.joins:
            if join.table not in self._edges or join.to_table not in self._edges:
                continue
            if join in without:
                continue
            self._edges[join.table].append(join)
            if join.cardinality is Cardinality.ONE_TO_ONE:
                self._edges[join.to_table].append(_reversed(join))
        for edges in self._edges.values():
            edges.sort(
                key=lambda join: (
                    not join.proven,
                    join.to_table not in through,
                    -join.support,
                    _lacking(join, schema),
                )
            )  # stable
        self._paths: dict[str, dict[str, tuple[Join, ...]]] = {}
        self._bridges: dict[frozenset[str], str | None] = {}

    def _paths_from(self, table: str) -> dict[str, tuple[Join, ...]]:
        """Shortest path from ``table`` to every table it reaches (breadth first).

        Unproven edges lead only to tables that proven ones do not reach.
        """
        if table not in self._paths:
            found: dict[str, tuple[Join, ...]] = {table: ()}
            for proven_only in (True, False):
                queue = deque(found)
                while queue:
                    here = queue.popleft()
                    for join in self._edges.get(here, ()):
                        if join.to_table not in found and (join.proven or not proven_only):
                            found[join.to_table] = (*found[here], join)
                            queue.append(join.to_table)
            self._paths[table] = found
        return self._paths[table]

    def path(self, table: str, to_table: str) -> tuple[Join, ...] | None:
        """The many-to-one path, empty where both are one; None where there is none."""
        return self._paths_from(table).get(to_table)

    def reaches(self, table: str, to_table: str) -> bool:
        return to_table in self._paths_from(table)

    def reachable(self, table: str) -> frozenset[str]:
        return frozenset(self._paths_from(table))

    def bridge(self, tables: frozenset[str]) -> str | None:
        """The table that reaches all ``tables`` along the fewest joins; one of them if possible.

        One that does so along proven joins alone comes before any other.
        """
        if tables not in self._bridges:
            self._bridges[tables] = self._nearest(tables)
        return self._bridges[tables]

    def _nearest(self, tables: frozenset[str]) -> str | None:
        best: tuple[int, int, int, str] | None = None
        for candidate in self._edges:
            paths = self._paths_from(candidate)
            if all(t in paths for t in tables):
                cost = sum(len(paths[t]) for t in tables)
                guessed = sum(not join.proven for t in tables for join in paths[t])
                key = (guessed, 0 if candidate in tables else 1, cost, candidate)
                best = key if best is None or key < best else best
        return best[3] if best else None


def _lacking(join: Join, schema: ProjectSchema) -> float:
    """The share of rows that point at nothing, as far as it is known."""
    columns = schema.table(join.table).columns
    return max((c.null_share or 0.0 for c in columns if c.name in join.columns), default=0.0)


def _reversed(join: Join) -> Join:
    return replace(
        join,
        table=join.to_table,
        columns=join.to_columns,
        to_table=join.table,
        to_columns=join.columns,
        orphan_share=None,
    )
