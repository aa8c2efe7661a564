"""What a project's house style asks of SQL: the settings below ``style``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class StyleRules:
    """Each rule may be turned off.

    ``naming`` asks for output columns in snake_case; ``marts`` for no staging or intermediate
    table where the gold reads none; ``partition_filter`` names ``table.column``s that a WHERE
    must hold wherever the table is read; ``format`` asks for SQL as sqlglot lays it out.
    """

    select_star: bool = True
    cross_join: bool = True
    naming: bool = True
    marts: bool = True
    partition_filter: tuple[str, ...] = ()
    format: bool = False


def read_style(value: object) -> StyleRules:
    """The rules of a settings block; ValueError says what is wrong with it."""
    if isinstance(value, StyleRules):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"should be a mapping of {', '.join(_NAMES)}")
    changes: dict[str, bool | tuple[str, ...]] = {}
    for name, found in value.items():
        if name not in _NAMES:
            near = difflib.get_close_matches(str(name), _NAMES, n=1)
            guess = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"should have no {name}{guess} but {', '.join(_NAMES)}")
        changes[name] = _columns(found) if name == "partition_filter" else _switch(name, found)
    return replace(StyleRules(), **changes)  # type: ignore[arg-type]


_NAMES = tuple(field.name for field in fields(StyleRules))


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"should have true or false for {name}")
    return value


def _columns(value: object) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list | tuple):
        raise ValueError("should have a list of table.column for partition_filter")
    if not all(isinstance(each, str) and each.count(".") == 1 for each in found):
        raise ValueError("should have table.column for each partition_filter")
    return tuple(found)
