"""Whether the decoder could write a row: its tokens replayed through the grammar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dbt_t2s.query.grammar import Grammar, State
from dbt_t2s.query.items import Item
from dbt_t2s.query.linear import KEYWORDS

_WORDS = frozenset(KEYWORDS)


def refusal(tokens: Sequence[str], grammar: Grammar, items: Mapping[str, Item]) -> str:
    """Where and at what the grammar stops ``tokens``; empty when it allows them all."""
    state = State()
    for at, token in enumerate(tokens):
        if state.done:
            return "after the end"
        symbol = state.stack[-1]
        before = tokens[at - 1] if at else "START"
        spot = f"{_sort(before)} {_sort(token)} at {symbol}"
        if token in _WORDS:
            if token not in grammar.keywords(state):
                return spot
            state = grammar.after_keyword(state, token)
            continue
        item = items.get(token)
        if item is None:
            return f"no item {_sort(token)}"
        if not all(grammar.items(state, [item])):
            return spot
        state = grammar.after_item(state, item)
    return "" if state.done else "not ended"


def _sort(token: str) -> str:
    return token if token in _WORDS or token == "START" else token[:2]
