"""Codes that a question names and no list holds: "unit R4-010", "ticket TK-1042".

A column of thousands of codes keeps a few of them; the shape that all of them share
(``project/formats.py``) tells the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dbt_t2s.project.schema import ProjectSchema

_SHORTEST = 4
_KINDS = {"A": "[A-Za-z]", "a": "[A-Za-z]", "9": "[0-9]"}
_PIECE = re.compile(r"([Aa9])(\+?)|(.)")


@dataclass(frozen=True)
class Code:
    """One code said at ``start``:``end`` and the value items that it may be."""

    start: int
    end: int
    tokens: tuple[str, ...]


class Codes:
    """The shapes of a schema's codes, each with its columns."""

    def __init__(self, schema: ProjectSchema) -> None:
        columns: dict[str, list[str]] = {}
        for table in schema.tables:
            for column in table.columns:
                if _is_code(column.format):
                    columns.setdefault(column.format, []).append(f"{table.name}.{column.name}")
        self._shapes = tuple((_pattern(shape), shape, of) for shape, of in columns.items())

    def said(self, text: str) -> Iterator[Code]:
        """All codes in ``text``, written as their columns write them."""
        for pattern, shape, columns in self._shapes:
            for found in pattern.finditer(text):
                value = _as_written(found.group(), shape)
                tokens = tuple(f"v:{column}={value}" for column in columns)
                yield Code(found.start(), found.end(), tokens)


def _is_code(shape: str) -> bool:
    """Letters and digits in one word: a day is told otherwise, ``AAA`` and ``a+ 99`` are any words.

    Small letters are a code's beside a sign between: "last30" is none.
    """
    letters, signs = set(shape) & {"A", "a"}, set(shape) - set("Aa9+")
    told = "A" in letters or bool(signs)
    spelled = signs <= set("-_/.#")
    return spelled and told and bool(letters) and "9" in shape and len(shape) >= _SHORTEST


def _pattern(shape: str) -> re.Pattern[str]:
    body = "".join(_KINDS[kind] + more if kind else re.escape(other)
                   for kind, more, other in _PIECE.findall(shape))  # fmt: skip
    return re.compile(rf"(?<![\w-]){body}(?![\w-])")


def _as_written(said: str, shape: str) -> str:
    """People type codes in small letters; where all letters are of one case, that one is meant."""
    if "a" not in shape:
        return said.upper()
    return said.lower() if "A" not in shape else said
