"""A conversation as one text: what a network is taught to read, and what people are told."""

from __future__ import annotations

import re

_END = re.compile(r"[\s?.!]+$")


def conversation(before: str, question: str) -> str:
    """All that was said."""
    return f"{_END.sub('', before)}; then {question}"
