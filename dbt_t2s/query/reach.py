"""Which tables a plan that is being written reaches: what the grammar asks of the join graph."""

from __future__ import annotations

from dbt_t2s.project.schema import ProjectSchema, Table
from dbt_t2s.query.joins import JoinGraph
from dbt_t2s.query.state import State


class Reach:
    """The join graph as plans see it; ``timed`` says of each table whether its rows are dated."""

    def __init__(self, schema: ProjectSchema, graph: JoinGraph) -> None:
        self._graph = graph
        self.timed = {table.name: bool(table.time_column) for table in schema.tables}
        self._keyed = {table.name: _has_key(table) for table in schema.tables}

    def has_time(self, state: State) -> bool:
        """Whether what was said so far has a time of its own."""
        if state.within:
            return self.timed.get(state.within[-1], False)
        if state.roots:
            return not state.untimed
        if state.dims:
            bridge = self._graph.bridge(state.dims)
            return bridge is not None and self.timed.get(bridge, False)
        return True

    def may_have_time(self, state: State) -> bool:
        """Whether a measure yet to come, in HAVING or the order, can be what a day is about."""
        if state.within or state.roots or state.distinct or state.listing or not state.dims:
            return False
        return any(
            timed and all(self._graph.reaches(table, dim) for dim in state.dims)
            for table, timed in self.timed.items()
        )

    def measures(
        self, root: str, state: State, *, counted: bool, timed: bool | None = None
    ) -> bool:
        """Whether rows of ``root`` can be aggregated under what was said so far."""
        timed = self.timed.get(root, False) if timed is None else timed
        if (state.needs_time or state.said_time) and not timed:
            return False
        if state.averaged and root not in state.roots:
            return False
        reached = all(self._graph.reaches(root, dim) for dim in state.dims)
        if reached and not self.bridge_of(state):
            return self._hears(root, state)
        # Rows counted once each may be counted from a finer table.
        if not (counted and state.counts_only and self._keyed.get(root, False)):
            return False
        bridge = self._graph.bridge(state.dims | {root})
        return bridge is not None and state.roots <= {root} and self._hears(bridge, state)

    def _hears(self, root: str, state: State) -> bool:
        """Whether the conditions already said can be asked of rows of ``root``."""
        known = (self._graph.reaches(root, t) or self._linked(t, root) for t in state.said)
        return all(known) and all(self._linked(t, root) for t in state.searched)

    def dim_fits(self, table: str, state: State) -> bool:
        """Whether a column of ``table`` can be selected beside what was said so far."""
        if not state.roots:
            return self._graph.bridge(state.dims | {table}) is not None
        if all(self._graph.reaches(root, table) for root in state.roots):
            return True
        if len(state.roots) == 1 and state.counts_only and self._keyed[min(state.roots)]:
            return self._graph.bridge(state.dims | state.roots | {table}) is not None
        return False

    def rows_known(self, table: str, symbol: str, state: State) -> bool:
        """Whether a condition about ``table`` can be asked of the rows that are meant."""
        if symbol in ("rated", "rated_null"):
            return self.measures(table, state, counted=False)
        subjects = self._subjects(state)
        return bool(subjects) and all(
            self._graph.reaches(root, table) or self._linked(table, root) for root in subjects
        )

    def is_finer(self, table: str, state: State) -> bool:
        """Whether ``table`` has several rows for each of those that are meant."""
        subjects = self._subjects(state)
        return bool(subjects) and all(self._linked(table, root) for root in subjects)

    def _subjects(self, state: State) -> tuple[str, ...]:
        """The tables whose rows a condition is about."""
        if state.within:
            return state.within[-1:]
        bridge = self.bridge_of(state) if state.roots else None
        if state.roots and bridge is None:
            return tuple(state.roots)
        bridge = bridge or (self._graph.bridge(state.dims) if state.dims else None)
        return (bridge,) if bridge else ()

    def bridge_of(self, state: State) -> str | None:
        """The finer table from which rows are counted; None where they are counted at home."""
        if all(self._graph.reaches(root, dim) for root in state.roots for dim in state.dims):
            return None
        return self._graph.bridge(state.dims | state.roots)

    def _linked(self, finer: str, root: str) -> bool:
        path = self._graph.path(finer, root)
        return bool(path) and path is not None and len(path[-1].columns) == 1


def _has_key(table: Table) -> bool:
    """Whether one column tells the table's rows apart."""
    unique = [k for k in table.primary_key if table.column(k).unique]
    return bool(unique) or len(table.primary_key) == 1
