"""Tells a statement that somebody typed from a question.

Not a safety wall: those stand around the SQL that the model writes. A person who types a statement
is told so, instead of being given an answer to the words in it.
"""

from __future__ import annotations

import re

_STATEMENT = re.compile(
    r"""
      ;\s*(?:drop|delete|insert|update|alter|create|truncate|attach|copy|select|with)\b
    | \bunion\s+(?:all\s+)?select\b
    | \b(?:drop|truncate|alter|create)\s+table\b
    | \bdelete\s+from\b
    | \binsert\s+into\b
    | \bselect\s+(?:\*|[\w.,\s()*]+?)\s+from\s+\w+\s*(?:;|$|where\b|group\b|order\b|limit\b)
    | '\s*(?:or|and)\s+'?\w+'?\s*=
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_statement(question: str) -> bool:
    """Whether the text is SQL, or carries some, rather than a question."""
    return _STATEMENT.search(question) is not None
