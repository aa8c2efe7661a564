"""The grammar of plans over one schema: which tokens may come next, so that every plan binds.

A state is a stack of symbols still to be written and what has been said so far: the tables
measured (``roots``), the tables of the dimensions, whether a time of its own is needed. It is
immutable, so that beams share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from dbt_t2s.project.schema import Kind, ProjectSchema
from dbt_t2s.query.compiled import one_period
from dbt_t2s.query.items import ADDS_UP, Item
from dbt_t2s.query.joins import JoinGraph
from dbt_t2s.query.linear import range_of
from dbt_t2s.query.plan import ARITHMETIC, COMPARISONS, GRAINS, PARTS, WRAPPERS
from dbt_t2s.query.reach import Reach
from dbt_t2s.query.state import State
from dbt_t2s.query.symbols import CLOSING, DIM, MEASURE, MEASURES, PREDS, SELECTS, SYMBOLS

__all__ = ["KINDS", "Grammar", "State"]

_MOST_SELECTED = 6
_MOST_TOKENS = 48
_REMEMBERED = 8_192
_TIMES = (Kind.DATE, Kind.TIMESTAMP)
# The symbols a column may stand for, and the kinds it must then have (none: any kind).
KINDS: dict[str, tuple[Kind, ...]] = {
    "number": (Kind.NUMBER,),
    "ordered": (Kind.NUMBER, *_TIMES),
    "counted": (),
    "when": _TIMES,
    "when_chosen": _TIMES,
    "moment": _TIMES,
    "compared": (Kind.NUMBER, *_TIMES),
    **dict.fromkeys(
        ("number_of", "row_of", "sorted_of", "compared_of", "subtrahend", "amount"),
        (Kind.NUMBER, *_TIMES),
    ),
    "textual": (Kind.TEXT,),
    "peer": (Kind.TEXT, Kind.BOOLEAN),
    "nullable": (),
    "rated_null": (),
    **dict.fromkeys(SELECTS, ()),
    **dict.fromkeys(PREDS, (Kind.BOOLEAN,)),
}


# Where an item says what a condition is about.
_ASKING = frozenset((
    "compared", "compared_of", "moment", "date", "textual", "nullable", "string", "limit",
))  # fmt: skip


# The sorts of items that may take each symbol's place.
_SORTS = {
    symbol: "".join(
        sort
        for sort, fits in (
            ("m", symbol in MEASURES),
            ("t", symbol in ("many", "table")),
            ("c", symbol in KINDS),
            ("vr", symbol in PREDS),
            ("d", symbol in PREDS or symbol == "date"),
            ("n", symbol in ("amount", "limit")),
            ("s", symbol == "string"),
        )
        if fits
    )
    for symbol in (*SYMBOLS, *KINDS, "many", "table", "date", "amount", "limit", "string")
}
_OF_ROWS = "vr"  # whether they fit hangs on their table alone


class Grammar:
    """The grammar over one schema's join graph."""

    def __init__(self, schema: ProjectSchema, graph: JoinGraph) -> None:
        # Questions over one schema pass through the same states again and again.
        self.keywords = lru_cache(_REMEMBERED)(self._keywords)
        self._graph = graph
        self._reach = Reach(schema, graph)
        self._dated = tuple(
            table.name for table in schema.tables if any(c.kind in _TIMES for c in table.columns)
        )
        # Where one column can be compared with another.
        self._twice = frozenset(
            (table.name, alike)
            for table in schema.tables
            for alike in ("number", "time")
            if sum(_alike(c.kind) == alike for c in table.columns) > 1
        )

    def _keywords(self, state: State) -> frozenset[str]:
        """The keywords that may come next."""
        symbol = state.stack[-1]
        return frozenset(k for k in SYMBOLS.get(symbol, {}) if self._fits(k, symbol, state))

    def items(self, state: State, items: Iterable[Item]) -> Iterator[bool]:
        """For each item whether it may come next."""
        symbol = state.stack[-1]
        sorts = _SORTS[symbol]
        told: dict[str, bool] = {}
        for item in items:
            if item.sort not in sorts:
                yield False
            elif item.sort not in _OF_ROWS or state.compiled is not None:
                yield self._item_fits(item, symbol, state)
            else:
                # A search asks this some thousand times a question, of a table's values alike.
                if item.table not in told:
                    told[item.table] = self._item_fits(item, symbol, state)
                yield told[item.table]

    # ---- keywords

    def _fits(self, keyword: str, symbol: str, state: State) -> bool:
        adds = symbol in ("select_more", "dim_more") and keyword in (MEASURE | DIM)
        if adds and state.selected >= _MOST_SELECTED:
            return False
        if state.length > _MOST_TOKENS:
            if symbol in CLOSING:
                return keyword in ("END", "CLOSE")
            if keyword in ("NOT", "OR", "HAS"):
                return False
        if state.compiled is not None:
            return self._fits_compiled(keyword, symbol, state)
        if symbol in ("select_more", "dim_more") and not adds and not self._selects(state):
            return False
        if keyword == "END" and state.owes_measure and not state.roots:
            return False
        if keyword in ("DESC", "ASC") and not (state.dims or state.needs_time):
            return False  # one row has no order
        if keyword == "HAVING":
            grouped = bool(state.dims or (state.roots and state.needs_time))
            return grouped and not (state.distinct or state.listing)
        if keyword in ("CHANGE", "RUNNING"):
            return symbol == "select_more" and state.grain != ""
        if keyword == "DIFF":
            return self._diff_fits(symbol, state)
        if symbol in ("sorted", "per") and keyword in DIM:
            return bool(state.roots) and _is_chosen(keyword, state)
        if keyword == "TIME":
            return self._time_fits(symbol, state)
        if symbol == "amount":
            having = "having_more" in state.stack
            rows = not state.finer and state.against[2] != "time"
            if keyword == "AVG_EACH":
                return rows and state.against[1] != ""
            return len(state.roots) == 1 if having else rows
        if keyword == "PER":
            return len(state.roots) < 2
        if keyword in MEASURE:
            return self._measure_fits(keyword, symbol, state)
        if keyword in DIM and state.roots:
            return self._reach.has_time(state) or any(
                self._reach.dim_fits(t, state) for t in self._dated
            )
        return keyword != "HAS" or any(self._reach.is_finer(t, state) for t in self._reach.timed)

    def _diff_fits(self, symbol: str, state: State) -> bool:
        if not self._twice:
            return False
        if symbol in ("number", "ordered", "compared"):
            return not state.finer and not (symbol != "compared" and self._reach.bridge_of(state))
        # Rows are shown and sorted by a difference; groups are not.
        return not (state.roots or state.needs_time or state.distinct)

    def _measure_fits(self, keyword: str, symbol: str, state: State) -> bool:
        if state.listing and symbol in ("select_more", "sorted"):
            return False
        if symbol == "compared":
            compared = keyword in ("COUNT", "SUM", "AVG", "MAX", "ONLY")
            return compared and any(self._reach.is_finer(t, state) for t in self._reach.timed)
        if keyword != "COUNT" and self._reach.bridge_of(state) is not None:
            return False
        if symbol in ("measure", "total"):
            deep = ("RATE", "ONLY") if state.finer else ()
            return keyword not in (*WRAPPERS, *ARITHMETIC, *deep)
        return not (symbol == "sorted" and (state.distinct or keyword in WRAPPERS))

    def _selects(self, state: State) -> bool:
        """Whether enough is selected for the plan to stop selecting."""
        return bool(state.roots) or bool(
            state.dims and (not state.needs_time or self._reach.has_time(state))
        )

    def _time_fits(self, symbol: str, state: State) -> bool:
        if symbol == "when_chosen":
            return f"{state.bucket} TIME" in state.chosen
        return f"{state.bucket} TIME" not in state.chosen and self._reach.has_time(state)

    @staticmethod
    def _fits_compiled(keyword: str, symbol: str, state: State) -> bool:
        assert state.compiled is not None
        if _is_figure(state):
            if symbol == "where_more":
                return keyword == "END"
            if keyword == "WHERE":
                return bool(state.compiled & {ADDS_UP, *GRAINS})
            if keyword in ("DESC", "ASC"):
                return False
            if "" not in state.compiled and symbol == "select_more":
                return keyword in GRAINS and keyword in state.compiled
        if keyword in GRAINS:
            if symbol == "sorted":
                return keyword == state.grain
            free = not state.dims and not state.grain and state.selected < 2
            return symbol == "select_more" and free and keyword in state.compiled
        if keyword == "WHERE":
            return state.grain != ""
        return keyword in ("END", "DESC", "ASC", "LIMIT", "ONE", "TIME")

    # ---- items

    def _item_fits(self, item: Item, symbol: str, state: State) -> bool:
        if symbol in CLOSING and state.length > _MOST_TOKENS:
            return False
        if symbol in ("select_more", "dim_more") and state.selected >= _MOST_SELECTED:
            return False
        if state.compiled is not None:
            return _fits_under_compiled(item, symbol, state)
        match item.sort:
            case "m":
                return symbol in MEASURES and self._metric_fits(item, symbol, state)
            case "t":
                return self._table_fits(item, symbol, state)
            case "c":
                return self._column_fits(item, symbol, state)
            case "v" | "r":
                return symbol in PREDS and self._reach.rows_known(item.table, symbol, state)
            case "d":
                in_general = symbol in PREDS and symbol != "rated"
                known = self._reach.has_time(state) or self._reach.may_have_time(state)
                return symbol == "date" or (in_general and known)
            case "n":
                amount = symbol == "amount" and state.against[2] != "time"
                return amount or (symbol == "limit" and _is_count(item.token[2:]))
            case _:
                return symbol == "string"

    def _metric_fits(self, item: Item, symbol: str, state: State) -> bool:
        if state.listing and symbol in ("select_more", "sorted"):
            return False
        if item.compiled is not None:
            if state.roots or symbol not in ("start", "select_more"):
                return False
            return state.selected == 0 or (state.selected == 1 and _given(item, state))
        if symbol == "compared":
            return len(item.roots) == 1 and self._reach.is_finer(item.roots[0], state)
        if (symbol == "sorted" and state.distinct) or (symbol == "total" and not item.adds_up):
            return False
        timed = item.timed or all(self._reach.timed.get(r, False) for r in item.roots)
        return all(self._reach.measures(r, state, counted=False, timed=timed) for r in item.roots)

    def _table_fits(self, item: Item, symbol: str, state: State) -> bool:
        if symbol == "many" or (symbol == "table" and state.finer):
            return self._reach.is_finer(item.table, state)
        return symbol == "table" and self._reach.measures(item.table, state, counted=True)

    def _column_fits(self, item: Item, symbol: str, state: State) -> bool:
        kinds = KINDS.get(symbol)
        if kinds is None or (kinds and item.kind not in kinds):
            return False
        if symbol in ("subtrahend", "amount"):
            return _is_alike(item, state)
        if symbol == "peer":
            return item.table == state.against[1]
        if symbol == "compared" and item.kind in _TIMES and (item.table, "time") not in self._twice:
            return False
        if symbol.endswith("_of") and (item.table, _alike(item.kind)) not in self._twice:
            return False
        if symbol in ("number", "number_of", "ordered", "counted"):
            if state.finer:
                return self._reach.is_finer(item.table, state)
            return self._reach.measures(item.table, state, counted=False)
        if symbol in ("sorted", "per", "sorted_of"):
            return self._orders(item, symbol, state)
        if symbol == "row_of":
            return self._reach.dim_fits(item.table, state)
        if symbol in SELECTS:
            return item.token not in state.chosen and self._reach.dim_fits(item.table, state)
        if symbol == "when":
            written = f"{state.bucket} {item.token}"
            return written not in state.chosen and self._reach.dim_fits(item.table, state)
        if symbol == "when_chosen":
            return f"{state.bucket} {item.token}" in state.chosen
        return self._reach.rows_known(item.table, symbol, state)

    def _orders(self, item: Item, symbol: str, state: State) -> bool:
        """Rows are ordered by what they show, or by what one row of them knows."""
        if item.token in state.chosen:
            return True
        bridge = self._graph.bridge(state.dims) if not state.roots else None
        if bridge is None or state.distinct:
            return False
        if symbol != "per" and bridge not in state.dims:  # its rows are shown once each
            return item.table == bridge
        return self._graph.reaches(bridge, item.table)

    # ---- steps

    def after_keyword(self, state: State, keyword: str) -> State:
        """The state once ``keyword`` is written."""
        symbol = state.stack[-1]
        stack = state.stack[:-1] + tuple(reversed(SYMBOLS[symbol][keyword]))
        after = replace(state, stack=stack, length=state.length + 1)
        if symbol in ("start", "select_more", "dim_more") and keyword in (MEASURE | DIM):
            after = replace(after, selected=state.selected + 1)
        if keyword in (MEASURE.keys() - {"COUNT"}) and symbol != "compared":
            after = replace(after, counts_only=False)
        if keyword in (*GRAINS, *PARTS):
            grain = keyword if keyword in GRAINS and not state.grain else state.grain
            after = replace(after, grain=grain, bucket=keyword)
        if keyword == "TIME" and symbol == "when":
            chosen = state.chosen | {f"{state.bucket} TIME"}
            after = replace(after, needs_time=True, chosen=chosen)
        if keyword == "DISTINCT":
            after = replace(after, distinct=True)
        if keyword == "CLOSE":
            after = replace(after, within=state.within[:-1])
        if symbol == "compared" and keyword != "DIFF":
            after = replace(after, finer=True)
        if keyword in COMPARISONS:
            after = replace(after, against=("", "", ""))
        if keyword == "DIFF" and symbol in ("start", "select_more", "sorted"):
            after = replace(after, listing=True)
        if keyword == "AVERAGE":
            averaged = state.averaged or "having_more" in state.stack
            after = replace(after, finer=False, averaged=averaged)
        return after

    def after_item(self, state: State, item: Item) -> State:
        """The state once ``item`` is pointed at."""
        symbol = state.stack[-1]
        # An item stands for a whole expression or condition; lists of them may go on.
        more = symbol if symbol in ("select_more", "dim_more", "where_more", "each_where") else ""
        more = {"start": "select_more", "has_more": "has_more"}.get(symbol, more)
        stack = (*state.stack[:-1], more) if more else state.stack[:-1]
        after = replace(state, stack=stack, length=state.length + 1)
        if symbol in ("start", "select_more", "dim_more"):
            after = replace(after, selected=state.selected + 1)
        if symbol == "amount":
            within = after.within[:-1] if after.narrowed else after.within
            none = ("", "", "")
            return replace(after, finer=False, narrowed=False, within=within, against=none)
        if symbol == "subtrahend":
            return replace(after, against=("", "", ""))
        if item.sort == "c" and (symbol.endswith("_of") or symbol == "compared"):
            after = replace(after, against=(item.token, item.table, _alike(item.kind)))
        if state.finer or (symbol == "compared" and item.sort == "m") or symbol == "many":
            return self._searches(after, symbol, item)
        if symbol in _ASKING:
            return self._asks(after, symbol, item)
        if symbol in PREDS and symbol != "rated":
            return self._asks(after, symbol, item)
        return self._said(after, symbol, item)

    @staticmethod
    def _searches(after: State, symbol: str, item: Item) -> State:
        tables = frozenset(item.roots or (item.table,))
        searched = after.searched | tables if not after.within else after.searched
        if symbol == "many":
            return replace(after, within=(*after.within, item.table), searched=searched)
        if after.stack[-2:] == ("amount", "pred"):  # ONLY: what follows is about the finer rows
            within = (*after.within, *tables)
            return replace(after, finer=False, narrowed=True, within=within, searched=searched)
        return replace(after, finer=True, searched=searched)

    def _asks(self, after: State, symbol: str, item: Item) -> State:
        if after.within:
            return after
        if item.sort == "d" and symbol != "date":
            owes = after.owes_measure or not (after.roots or self._reach.has_time(after))
            return replace(after, said_time=True, owes_measure=owes)
        return replace(after, said=after.said | {item.table}) if item.table else after

    def _said(self, after: State, symbol: str, item: Item) -> State:
        if item.sort == "m":
            if item.compiled is not None:
                chosen = after.chosen | {item.token}
                return replace(after, compiled=item.compiled, counts_only=False, chosen=chosen)
            timed = item.timed or all(self._reach.timed.get(r, False) for r in item.roots)
            roots, untimed = after.roots | set(item.roots), after.untimed or not timed
            return replace(after, roots=roots, counts_only=False, untimed=untimed)
        if symbol in ("table", "number", "number_of", "ordered", "counted", "rated", "rated_null"):
            untimed = after.untimed or not self._reach.timed.get(item.table, False)
            return replace(after, roots=after.roots | {item.table}, untimed=untimed)
        if symbol == "row_of":
            return replace(after, dims=after.dims | {item.table})
        if symbol in SELECTS or symbol == "when":
            written = item.token if symbol != "when" else f"{after.bucket} {item.token}"
            chosen = after.chosen | {written} if symbol not in ("sorted", "per") else after.chosen
            return replace(after, dims=after.dims | {item.table}, chosen=chosen)
        return after


def _fits_under_compiled(item: Item, symbol: str, state: State) -> bool:
    """A metric that only MetricFlow can write takes one dimension, dates along it and an order."""
    assert state.compiled is not None
    if symbol == "sorted":
        return item.token in state.chosen
    if item.sort == "c":
        free = state.selected < 2 and not state.grain
        return symbol == "select_more" and free and item.token in state.compiled
    if item.sort == "d" and _is_figure(state):
        known = ADDS_UP in state.compiled or one_period(range_of(item.token[2:]), state.compiled)
        return symbol == "pred" and bool(known)
    if item.sort == "d":
        return state.grain != "" and symbol in PREDS
    return item.sort == "n" and symbol == "limit" and _is_count(item.token[2:])


def _is_figure(state: State) -> bool:
    """Whether a metric that only MetricFlow can write is given by nothing so far."""
    return not state.grain and not (state.chosen & (state.compiled or frozenset()))


def _given(item: Item, state: State) -> bool:
    """Whether a metric that only MetricFlow can write is given by the dimension selected."""
    assert item.compiled is not None
    if state.needs_time:
        return bool(state.grain) and not state.dims and state.grain in item.compiled
    return len(state.chosen) == 1 and state.chosen <= item.compiled


def _alike(kind: Kind | None) -> str:
    """What a column can be compared with: other numbers, other times, or nothing."""
    return "number" if kind is Kind.NUMBER else "time" if kind in _TIMES else ""


def _is_alike(item: Item, state: State) -> bool:
    """Whether the column can be taken from, or compared with, the one before it."""
    token, table, alike = state.against
    return item.token != token and item.table == table and _alike(item.kind) == alike != ""


def _is_chosen(keyword: str, state: State) -> bool:
    return any(chosen.startswith(f"{keyword} ") for chosen in state.chosen)


def _is_count(text: str) -> bool:
    return len(text) <= 5 and text.isdecimal() and 0 < int(text) <= 10_000
