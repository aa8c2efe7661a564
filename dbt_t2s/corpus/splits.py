"""Which examples teach and which ask: split by what is asked, so that a test asks for the unseen.

A combination is a plan's skeleton with its tables, columns, metrics and rules but without its
literals: "revenue in March by store" and "revenue in 2024 per store" are one. All examples of a
combination go to the same split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

SPLITS = ("train", "dev", "test")
_DEV, _TEST = 4, 8  # per cent of combinations: dev below the first, test below the second


def combination(tokens: Sequence[str]) -> str:
    """The plan's tokens with values, numbers, dates and sought text taken out."""
    return " ".join(map(_without_literal, tokens))


def _without_literal(token: str) -> str:
    if token[:2] == "v:":
        return token.partition("=")[0]
    return token[:2] if token[:2] in ("n:", "d:", "s:") else token


def of(tokens: Sequence[str], question: str) -> str:
    """The split of one example; refusals have no plan and go by their question."""
    key = question if tokens[0] == "REFUSE" else combination(tokens)
    bucket = int(hashlib.sha256(key.encode()).hexdigest(), 16) % 100
    return "dev" if bucket < _DEV else "test" if bucket < _TEST else "train"
