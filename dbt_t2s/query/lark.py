"""The grammar of plans over one schema as Lark text, for decoders that constrain a language model.

It is made from the same tables as ``Grammar`` but knows no context: every plan that ``Grammar``
lets through is in it, and some that do not bind, which the binder then refuses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Table
from dbt_t2s.query.grammar import KINDS
from dbt_t2s.query.plan_text import name_text, token_text
from dbt_t2s.query.symbols import MEASURES, PREDS, SYMBOLS

REFUSAL = "REFUSE: "
_TIMES = (Kind.DATE, Kind.TIMESTAMP)
# Symbols that a list of items may go on with.
_MORE = {
    "start": "select_more",
    **{name: name for name in ("select_more", "dim_more", "where_more", "each_where", "has_more")},
}
_DATED = (PREDS - {"rated"}) | {"date"}
_AGAINST = (Kind.NUMBER, *_TIMES)
# Symbols of the grammar that are written as an item alone.
_ITEMS = ("table", "many", "date", "string")

_FREE = {
    # As many characters as names of things have; JSON's own escapes, nothing that ends a line.
    "QUOTED": r'/"([^"\\\x00-\x1f]|\\["\\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,120}"/',
    "NUMBER": r"/n:-?[0-9]{1,15}(\.[0-9]{1,9})?/",
    "SPAN": r"/d:([0-9]{4}-[0-9]{2}-[0-9]{2})?\/([0-9]{4}-[0-9]{2}-[0-9]{2})?/",
    "MISSING": r"/[^\n]{1,160}/",
}

_Wanted = Callable[[Column], bool]


def plan_lark(schema: ProjectSchema) -> str:
    """Lark text (llguidance's dialect) of all plans over ``schema`` and of refusals."""
    names = _Names(schema)
    rules = {symbol: _alternatives(symbol, names) for symbol in sorted(_symbols())}
    rules = _productive(rules)
    lines = [f'start: plan | "{REFUSAL}" MISSING', "plan: s_start"]
    for symbol, alternatives in rules.items():
        lines.append(f"s_{symbol}: {' | '.join(_written(parts) for parts in alternatives)}")
    lines.append('s_text: "s:" QUOTED')
    if "OPEN" in names.terminals:
        lines.append("s_value: OPEN QUOTED")
    used = " ".join(lines)
    lines += [f"{name}: {text}" for name, text in names.terminals.items()]
    lines += [f"{name}: {text}" for name, text in _FREE.items() if name in used]
    return "\n".join(lines) + "\n"


def _symbols() -> set[str]:
    followers = {f for table in SYMBOLS.values() for following in table.values() for f in following}
    return {*SYMBOLS, *KINDS, *followers, *_ITEMS}


def _alternatives(symbol: str, names: _Names) -> list[tuple[str, ...]]:
    """What the symbol may be: each a terminal and the symbols that follow it."""
    made: list[tuple[str, ...]] = []
    for keyword, following in SYMBOLS.get(symbol, {}).items():
        if keyword != "REFUSE":  # a refusal says what is missing instead
            made.append((f'"{keyword}"', *following))
    more = (_MORE[symbol],) if symbol in _MORE else ()
    return made + [(item, *more) for item in _items(symbol, names)]


def _items(symbol: str, names: _Names) -> Iterable[str]:
    if symbol in MEASURES:
        yield from names.of("METRIC")
    if symbol in ("table", "many"):
        yield from names.of("TABLE")
    if symbol in KINDS:
        yield from names.columns(KINDS[symbol])
    elif symbol in ("subtrahend", "amount"):
        yield from names.columns(_AGAINST)
    if symbol in PREDS:
        yield from names.of("RULE")
        yield from names.of("VALUE")
        yield from names.free_values()
    if symbol in _DATED:
        yield "SPAN"
    if symbol in ("amount", "limit"):
        yield "NUMBER"
    if symbol == "string":
        yield "s_text"


class _Names:
    """The schema's names as terminals, one for each use."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._tables = schema.tables
        self.terminals: dict[str, str] = {}
        self._add("TABLE", (f"t:{name_text(table.name)}" for table in schema.tables))
        self._add("METRIC", (f"m:{name_text(metric.name)}" for metric in schema.metrics))
        self._add("RULE", (f"r:{name_text(rule.name)}" for rule in schema.askable_rules))
        known = self._columns(_is_closed)
        self._add(
            "VALUE",
            (
                token_text(f"v:{table.name}.{column.name}={value}")
                for table, column in known
                for value in column.values
            ),
        )
        open_ones = self._columns(lambda column: not _is_closed(column))
        self._add("OPEN", (f"v:{name_text(f'{t.name}.{c.name}')}=" for t, c in open_ones))

    def of(self, name: str) -> Iterable[str]:
        """The terminal, where the schema has such names."""
        return (name,) if name in self.terminals else ()

    def free_values(self) -> Iterable[str]:
        return ("s_value",) if "OPEN" in self.terminals else ()

    def columns(self, kinds: tuple[Kind, ...]) -> Iterable[str]:
        """The terminal of the columns of these kinds (none: of any kind)."""
        name = "COLUMN" + "".join(f"_{kind.name}" for kind in kinds)
        if name not in self.terminals:
            found = self._columns(lambda column: not kinds or column.kind in kinds)
            self._add(name, (f"c:{name_text(f'{t.name}.{c.name}')}" for t, c in found))
        return self.of(name)

    def _columns(self, wanted: _Wanted) -> Iterable[tuple[Table, Column]]:
        return ((t, c) for t in self._tables for c in t.columns if wanted(c))

    def _add(self, name: str, texts: Iterable[str]) -> None:
        written = [json.dumps(text, ensure_ascii=False) for text in dict.fromkeys(texts)]
        if written:
            self.terminals[name] = " | ".join(written)


def _is_closed(column: Column) -> bool:
    """Whether all the values that can be asked for are known."""
    return bool(column.values) and column.values_complete and not column.personal


def _productive(
    rules: Mapping[str, list[tuple[str, ...]]],
) -> dict[str, list[tuple[str, ...]]]:
    """The rules without what can never be finished, as where a schema has no dates."""
    kept = dict(rules)
    while True:
        alive = {symbol for symbol, alternatives in kept.items() if alternatives}
        after = {
            symbol: [parts for parts in kept[symbol] if alive.issuperset(parts[1:])]
            for symbol in alive
        }
        if after == kept:
            return after
        kept = after


def _written(parts: tuple[str, ...]) -> str:
    return parts[0] + "".join(f' " " s_{symbol}' for symbol in parts[1:])
