"""Half-structured data: the paths that SQL reads of it, and an object that has them all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

from dbt_t2s.judge import plausible
from dbt_t2s.sql import exp

Path = tuple[str, ...]
"""Keys from the outermost in; ``0`` stands for any place of a list."""

_READS = (exp.JSONExtract, exp.JSONExtractScalar)
_AROUND = (exp.ParseJSON, exp.Cast, exp.Paren)


def read(node: exp.Expr) -> tuple[exp.Column, Path] | None:
    """The column that a JSON access reads and its path; None where it reads something else."""
    path: Path = ()
    while isinstance(node, (*_READS, *_AROUND)):
        if isinstance(node, _READS):
            path = (*_keys(node.expression), *path)
        node = node.this
    return (node, path) if isinstance(node, exp.Column) else None


def _keys(path: exp.Expr) -> Path:
    found: list[str] = []
    for part in path.expressions if isinstance(path, exp.JSONPath) else ():
        if isinstance(part, exp.JSONPathKey) and isinstance(part.this, str):
            found.append(part.this)
        elif isinstance(part, exp.JSONPathSubscript):
            found.append("0")
    return tuple(found)


def example(paths: Sequence[Path], chance: Random, as_of: date) -> str:
    """A JSON object with a plausible value at the end of each path."""
    tree: dict[str, Any] = {}
    for path in paths:
        here = tree
        for key in path:
            here = here.setdefault(key, {})
    return json.dumps(_filled(tree, "", chance, as_of))


def _filled(tree: dict[str, Any], name: str, chance: Random, as_of: date) -> object:
    if not tree and name:
        return _value(name, chance, as_of)
    if set(tree) == {"0"}:
        return [_filled(tree["0"], name, chance, as_of)]
    return {key: _filled(below, key, chance, as_of) for key, below in tree.items()}


def _value(name: str, chance: Random, as_of: date) -> object:
    type_ = plausible.type_by_name(name)
    if type_ == "BOOLEAN":
        return chance.random() < 0.5
    if type_ in ("DATE", "TIMESTAMP"):
        return plausible.day(chance.random, as_of).isoformat()
    if type_ == "VARCHAR":
        return plausible.text(name, int(chance.random() * 100))
    return plausible.number(name, type_ == "BIGINT", chance.random, as_of)
