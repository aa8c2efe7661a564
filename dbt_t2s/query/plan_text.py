"""Plans as one line of text, for models that write text: tokens with a space between them.

``COUNT t:orders WHERE v:orders.status="in transit" END``. Values and texts stand in JSON's quotes,
and so do names that hold more than letters, digits, underscores and dots.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from dbt_t2s.errors import QueryPlanError

_PLAIN = re.compile(r"[A-Za-z0-9_.]+\Z")
_QUOTED = r'"(?:[^"\\\x00-\x1f]|\\.)*"'
_NAME = rf"(?:{_QUOTED}|[A-Za-z0-9_.]+)"
_TOKEN = re.compile(
    rf"(?P<named>[tcmr]):(?P<name>{_NAME})"
    rf"|v:(?P<column>{_NAME})=(?P<value>{_QUOTED})"
    rf"|s:(?P<text>{_QUOTED})"
    r"|(?P<plain>[nd]:[-0-9./]+|[A-Z_]+)"
)


def token_text(token: str) -> str:
    """One token as it is written."""
    sort, colon, body = token.partition(":")
    if not colon or sort in ("n", "d"):
        return token
    if sort == "s":
        return f"s:{_quoted(body)}"
    if sort == "v":
        column, _, value = body.partition("=")
        return f"v:{name_text(column)}={_quoted(value)}"
    return f"{sort}:{name_text(body)}"


def name_text(name: str) -> str:
    """A name, in quotes where it needs them."""
    return name if _PLAIN.match(name) else _quoted(name)


def plan_text(tokens: Sequence[str]) -> str:
    """The line that spells these tokens."""
    return " ".join(map(token_text, tokens))


def plan_tokens(text: str) -> tuple[str, ...]:
    """The tokens of a line; QueryPlanError where it holds anything else."""
    tokens: list[str] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or text[found.end() : found.end() + 1] not in ("", " "):
            raise QueryPlanError(f"no token of a plan begins at {text[place : place + 20]!r}")
        tokens.append(_token(found))
        place = found.end() + 1
    return tuple(tokens)


def _token(found: re.Match[str]) -> str:
    if found["named"]:
        return f"{found['named']}:{_unquoted(found['name'])}"
    if found["column"]:
        return f"v:{_unquoted(found['column'])}={_unquoted(found['value'])}"
    return f"s:{_unquoted(found['text'])}" if found["text"] else found["plain"]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError as error:
        raise QueryPlanError(f"{text[:40]!r} is no quoted text") from error
