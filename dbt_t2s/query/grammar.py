"""The grammar of plans over one schema: which tokens may come next, so that every plan binds.

A state is a stack of symbols still to be written and what has been said so far: the tables
measured (``roots``), the tables of the dimensions, whether a time of its own is needed. It is
immutable, so that beams share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dbt_t2s.project.schema import Kind, ProjectSchema
from dbt_t2s.query.items import Item
from dbt_t2s.query.joins import JoinGraph
from dbt_t2s.query.plan import AGGREGATES, ARITHMETIC, COMPARISONS, GRAINS, PARTS, WRAPPERS

_MOST_SELECTED = 6
_MOST_TOKENS = 48

_MEASURE: dict[str, tuple[str, ...]] = {
    "COUNT": ("table",),
    **{name: ("number",) for name in ("SUM", "AVG", "MEDIAN")},
    **{name: ("ordered",) for name in ("MIN", "MAX")},
    "COUNT_DISTINCT": ("counted",),
    **{name: ("measure",) for name in WRAPPERS},
    **{name: ("measure", "measure") for name in ARITHMETIC},
    "RATE": ("rated",),
}
_DIM: dict[str, tuple[str, ...]] = {name: ("when",) for name in GRAINS + PARTS}
_PRED: dict[str, tuple[str, ...]] = {
    "NOT": ("pred",),
    "OR": ("pred", "pred"),
    **{name: ("compared", "amount") for name in COMPARISONS},
    "ON": ("moment", "date"),
    "NULL": ("nullable",),
    "HAS": ("many", "has_more"),
    "LIKE": ("textual", "string"),
}
_CLAUSES: dict[str, tuple[str, ...]] = {
    "HAVING": ("having", "having_more"),
    "DESC": ("sorted", "order_more"),
    "ASC": ("sorted", "order_more"),
    "END": (),
}
# What each symbol may turn into by a keyword, and what must then follow.
_KEYWORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "start": {
        "REFUSE": ("end",),
        "DISTINCT": ("dim", "dim_more"),
        "AVG_EACH": ("measure", "dim", "each_more"),
        **{k: (*v, "select_more") for k, v in (_MEASURE | _DIM).items()},
    },
    "select_more": {
        **{k: (*v, "select_more") for k, v in (_MEASURE | _DIM).items()},
        "WHERE": ("pred", "where_more"),
        **_CLAUSES,
    },
    "dim_more": {
        **{k: (*v, "dim_more") for k, v in _DIM.items()},
        "WHERE": ("pred", "where_more"),
        "DESC": ("sorted", "order_more"),
        "ASC": ("sorted", "order_more"),
        "END": (),
    },
    "each_more": {"WHERE": ("pred", "each_where"), "END": ()},
    "each_where": {**{k: (*v, "each_where") for k, v in _PRED.items()}, "END": ()},
    "measure": _MEASURE,
    "dim": _DIM,
    "when": {"TIME": ()},
    "pred": _PRED,
    "where_more": {**{k: (*v, "where_more") for k, v in _PRED.items()}, **_CLAUSES},
    "rated": {"NOT": ("rated",), "NULL": ("nullable",)},
    "has_more": {**{k: (*v, "has_more") for k, v in _PRED.items()}, "CLOSE": ()},
    "compared": _MEASURE,
    "amount": {"AVERAGE": ()},
    "having": {name: ("measure", "amount") for name in COMPARISONS},
    "having_more": {
        **{name: ("measure", "amount", "having_more") for name in COMPARISONS},
        **{k: v for k, v in _CLAUSES.items() if k != "HAVING"},
    },
    "sorted": {**_MEASURE, **_DIM},
    "order_more": {"LIMIT": ("limit", "limit_more"), "END": ()},
    "limit": {"ONE": ()},
    "limit_more": {"PER": ("dim", "end"), "END": ()},
    "end": {"END": ()},
}
_SELECTS = frozenset({"start", "select_more", "dim", "dim_more", "sorted"})
_MEASURES = frozenset({"start", "select_more", "measure", "sorted", "compared"})
_PREDS = frozenset({"pred", "where_more", "each_where", "has_more", "rated"})


@dataclass(frozen=True)
class State:
    """What is still to be written (``stack``, next symbol last) and what was said."""

    stack: tuple[str, ...] = ("start",)
    roots: frozenset[str] = frozenset()
    dims: frozenset[str] = frozenset()
    counts_only: bool = True
    needs_time: bool = False
    selected: int = 0
    length: int = 0
    within: tuple[str, ...] = ()
    compiled: frozenset[str] | None = None
    grain: str = ""
    chosen: frozenset[str] = frozenset()
    finer: bool = False

    @property
    def done(self) -> bool:
        return not self.stack


class Grammar:
    """The grammar over one schema's join graph."""

    def __init__(self, schema: ProjectSchema, graph: JoinGraph) -> None:
        self._graph = graph
        self._timed = {table.name: bool(table.time_column) for table in schema.tables}

    def keywords(self, state: State) -> frozenset[str]:
        """The keywords that may come next."""
        symbol = state.stack[-1]
        allowed = {k for k in _KEYWORDS.get(symbol, {}) if self._fits(k, symbol, state)}
        return frozenset(allowed)

    def items(self, state: State, items: Iterable[Item]) -> Iterator[bool]:
        """For each item whether it may come next."""
        symbol = state.stack[-1]
        for item in items:
            yield self._item_fits(item, symbol, state)

    # ---- keywords

    def _fits(self, keyword: str, symbol: str, state: State) -> bool:
        full = state.length > _MOST_TOKENS or state.selected >= _MOST_SELECTED
        adds = symbol in ("select_more", "dim_more") and keyword in (_MEASURE | _DIM)
        if adds and full:
            return False
        if state.length > _MOST_TOKENS and symbol.endswith("_more"):
            return keyword in ("END", "CLOSE")
        if state.compiled is not None:
            return self._fits_compiled(keyword, symbol, state)
        if symbol in ("select_more", "dim_more") and keyword not in (_MEASURE | _DIM):
            if not state.roots and not state.dims:
                return False
        if keyword == "HAVING":
            return bool(state.dims or (state.roots and state.needs_time))
        if keyword in ("CHANGE", "RUNNING"):
            return symbol == "select_more" and state.grain != ""
        if symbol == "sorted" and keyword in _DIM:
            return bool(state.roots) and keyword == state.grain
        if keyword == "TIME":
            return self._has_time(state)
        if keyword == "AVERAGE":
            return "having_more" in state.stack or not state.finer
        if symbol == "compared" and keyword in _MEASURE:
            return keyword in ("COUNT", "SUM", "AVG", "MAX")
        if symbol == "measure" and keyword in (*WRAPPERS, *ARITHMETIC):
            return False
        return not (symbol == "sorted" and keyword in WRAPPERS)

    @staticmethod
    def _fits_compiled(keyword: str, symbol: str, state: State) -> bool:
        assert state.compiled is not None
        if keyword in GRAINS:
            return (
                symbol in ("select_more", "sorted")
                and not state.dims
                and (keyword in state.compiled and state.selected < 2)
            )
        if keyword == "WHERE":
            return state.grain != ""
        return keyword in ("END", "DESC", "ASC", "LIMIT", "ONE", "TIME")

    def _has_time(self, state: State) -> bool:
        if state.within:
            return self._timed.get(state.within[-1], False)
        if state.roots:
            return all(self._timed.get(r, False) for r in state.roots)
        if state.dims:
            bridge = self._graph.bridge(state.dims)
            return bridge is not None and self._timed.get(bridge, False)
        return True

    # ---- items

    def _item_fits(self, item: Item, symbol: str, state: State) -> bool:
        if state.compiled is not None and not self._fits_under_compiled(item, symbol, state):
            return False
        match item.sort:
            case "m":
                return symbol in _MEASURES and self._metric_fits(item, symbol, state)
            case "t":
                return self._table_fits(item, symbol, state)
            case "c":
                return self._column_fits(item, symbol, state)
            case "v" | "r":
                return symbol in _PREDS and self._rows_known(item.table, symbol, state)
            case "d":
                return symbol == "date" or (
                    symbol in _PREDS and symbol != "rated" and self._has_time(state)
                )
            case "n":
                return symbol == "amount" or (symbol == "limit" and _is_count(item.token[2:]))
            case _:
                return symbol == "string"

    @staticmethod
    def _fits_under_compiled(item: Item, symbol: str, state: State) -> bool:
        assert state.compiled is not None
        if item.sort == "c":
            free = state.selected < 2 and not state.grain
            return symbol == "select_more" and free and item.token in state.compiled
        if item.sort == "m":
            return symbol == "sorted"
        if item.sort == "d":
            return bool(state.grain)
        return item.sort == "n" and symbol == "limit"

    def _metric_fits(self, item: Item, symbol: str, state: State) -> bool:
        if item.compiled is not None:
            if state.roots or state.selected > 1 or symbol not in ("start", "select_more"):
                return False
            if state.selected == 0:
                return True
            return bool(state.grain and state.grain in item.compiled)
        if state.needs_time and not item.timed:
            return False
        if symbol == "compared":
            return len(item.roots) == 1 and self._is_finer(item.roots[0], state)
        return all(self._measures(root, state, counted=False) for root in item.roots)

    def _table_fits(self, item: Item, symbol: str, state: State) -> bool:
        if symbol == "many":
            return any(self._linked(item.table, root) for root in self._subjects(state))
        if symbol == "table":
            if state.finer:
                return self._is_finer(item.table, state)
            if state.needs_time and not item.timed:
                return False
            return self._measures(item.table, state, counted=True)
        return False

    def _measures(self, root: str, state: State, counted: bool) -> bool:
        """Whether rows of ``root`` can be aggregated under what was said so far."""
        if all(self._graph.reaches(root, dim) for dim in state.dims):
            return True
        alone = counted and not state.roots
        return alone and self._graph.bridge(state.dims | {root}) is not None

    def _column_fits(self, item: Item, symbol: str, state: State) -> bool:
        kind = item.kind
        if symbol in ("number", "ordered", "counted"):
            if symbol == "number" and kind is not Kind.NUMBER:
                return False
            if symbol == "ordered" and kind not in (Kind.NUMBER, Kind.DATE, Kind.TIMESTAMP):
                return False
            if state.finer:
                return self._is_finer(item.table, state)
            return self._measures(item.table, state, counted=False)
        if symbol == "sorted" and state.roots:
            return item.token in state.chosen
        if symbol in _SELECTS:
            return self._dim_fits(item.table, state)
        if symbol in _PREDS:
            return kind is Kind.BOOLEAN and self._rows_known(item.table, symbol, state)
        if symbol == "compared":
            return kind is Kind.NUMBER and self._rows_known(item.table, symbol, state)
        if symbol == "when":
            return kind in (Kind.DATE, Kind.TIMESTAMP) and self._dim_fits(item.table, state)
        if symbol == "moment":
            timed = kind in (Kind.DATE, Kind.TIMESTAMP)
            return timed and self._rows_known(item.table, symbol, state)
        if symbol == "textual":
            return kind is Kind.TEXT and self._rows_known(item.table, symbol, state)
        return symbol == "nullable" and self._rows_known(item.table, symbol, state)

    def _dim_fits(self, table: str, state: State) -> bool:
        if not state.roots:
            return self._graph.bridge(state.dims | {table}) is not None
        if all(self._graph.reaches(root, table) for root in state.roots):
            return True
        if len(state.roots) == 1 and state.counts_only:
            return self._graph.bridge(state.dims | state.roots | {table}) is not None
        return False

    def _rows_known(self, table: str, symbol: str, state: State) -> bool:
        if symbol == "rated" or "rate" in state.stack:
            return self._measures(table, state, counted=False)
        return any(
            self._graph.reaches(root, table) or self._linked(table, root)
            for root in self._subjects(state)
        )

    def _subjects(self, state: State) -> tuple[str, ...]:
        """The tables whose rows a condition is about."""
        if state.within:
            return state.within[-1:]
        if state.roots:
            return tuple(state.roots)
        bridge = self._graph.bridge(state.dims) if state.dims else None
        return (bridge,) if bridge else ()

    def _linked(self, finer: str, root: str) -> bool:
        path = self._graph.path(finer, root)
        return bool(path) and path is not None and len(path[-1].columns) == 1

    def _is_finer(self, table: str, state: State) -> bool:
        return any(self._linked(table, root) for root in self._subjects(state) if root != table)

    # ---- steps

    def after_keyword(self, state: State, keyword: str) -> State:
        """The state once ``keyword`` is written."""
        symbol = state.stack[-1]
        stack = state.stack[:-1] + tuple(reversed(_KEYWORDS[symbol][keyword]))
        after = replace(state, stack=stack, length=state.length + 1)
        if symbol in ("start", "select_more", "dim_more") and keyword in (_MEASURE | _DIM):
            after = replace(after, selected=state.selected + 1)
        if keyword in (_MEASURE.keys() - {"COUNT"}) and symbol != "compared":
            after = replace(after, counts_only=False)
        if keyword == "TIME":
            after = replace(after, needs_time=True)
        if keyword in GRAINS:
            after = replace(after, grain=keyword if not state.grain else state.grain)
        if keyword == "CLOSE":
            after = replace(after, within=state.within[:-1])
        if symbol == "compared":
            after = replace(after, finer=True)
        if keyword in ("AVERAGE",):
            after = replace(after, finer=False)
        return after

    def after_item(self, state: State, item: Item) -> State:
        """The state once ``item`` is pointed at."""
        symbol = state.stack[-1]
        stack = state.stack[:-1] + _after_item(symbol, item)
        after = replace(state, stack=stack, length=state.length + 1)
        if symbol in ("start", "select_more", "dim_more"):
            after = replace(after, selected=state.selected + 1)
        if symbol == "many":
            return replace(after, within=(*state.within, item.table))
        if symbol == "amount":
            return replace(after, finer=False)
        if state.finer or symbol in _PREDS - {"rated"} or symbol in (
            "compared", "moment", "date", "textual", "string", "limit",
        ):  # fmt: skip
            finer = state.finer or (symbol == "compared" and item.sort == "m")
            return replace(after, finer=finer)
        return self._said(after, symbol, item)

    def _said(self, after: State, symbol: str, item: Item) -> State:
        if item.sort == "m":
            if item.compiled is not None:
                return replace(after, compiled=item.compiled, counts_only=False)
            return replace(after, roots=after.roots | set(item.roots), counts_only=False)
        if symbol in ("table", "number", "ordered", "counted", "rated"):
            return replace(after, roots=after.roots | {item.table})
        if symbol in _SELECTS or symbol == "when":
            chosen = after.chosen | {item.token} if symbol != "when" else after.chosen
            return replace(after, dims=after.dims | {item.table}, chosen=chosen)
        return after


def _after_item(symbol: str, item: Item) -> tuple[str, ...]:
    """What may still follow where an item stands for a whole expression or condition."""
    if symbol == "start":
        return ("select_more",)
    if symbol in ("select_more", "dim_more", "where_more", "each_where", "has_more"):
        return (symbol,)
    return ()


def _is_count(text: str) -> bool:
    return text.isdigit() and 0 < int(text) <= 10_000
