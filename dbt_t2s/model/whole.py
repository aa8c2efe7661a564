"""A conversation as one text: what a network is taught to read, and what people are told."""

from __future__ import annotations

import re

_END = re.compile(r"[\s?.!]+$")


_THEN = "; then "


def conversation(before: str, question: str) -> str:
    """All that was said."""
    return f"{_END.sub('', before)}{_THEN}{question}"


def parts_of(told: str) -> list[str]:
    """The questions of which all that was said is made."""
    return told.split(_THEN)
