"""What people wrote beside nodes and columns: descriptions, labels, synonyms, privacy marks.

All of it is data. It is flattened and capped, so that a description cannot fill a prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dbt_t2s.project.artifacts import Node, items, section, text

MAX_TEXT = 500

# Marks of personal data: as a key of meta (``pii: true``) or as a tag.
PERSONAL = ("pii", "contains_pii", "is_pii", "personal", "personal_data", "sensitive")

# After which of its two calendar years a fiscal year is called.
YEAR_NAMED = ("end", "start")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def month_of(value: object) -> int:
    """The month that a number or a name is; ValueError where it is none."""
    name = str(value).strip().lower()
    if name[:3] in _MONTHS and name.isalpha():
        return _MONTHS.index(name[:3]) + 1
    if isinstance(value, bool) or not name.isdecimal() or not 1 <= int(name) <= 12:
        raise ValueError("should be a month such as 2 or February")
    return int(name)


def clean(value: object) -> str:
    """One line of at most ``MAX_TEXT`` printable characters."""
    if value is None:
        return ""
    shown = "".join(char if char.isprintable() else " " for char in str(value))
    flat = " ".join(shown.split())
    return flat if len(flat) <= MAX_TEXT else flat[: MAX_TEXT - 1].rstrip() + "…"


def merged(node: Node) -> dict[str, Any]:
    """``meta`` with ``config.meta`` on top: dbt has moved it from one to the other."""
    return {**section(node, "meta"), **section(node, "config", "meta")}


def own(node: Node) -> Mapping[str, Any]:
    """The part of meta that is for this tool: ``meta.t2s``."""
    return section(merged(node), "t2s")


def hidden(node: Node) -> bool:
    return own(node).get("hidden") is True


def description(node: Node) -> str:
    return clean(node.get("description"))


def described(node: Node, semantic: str) -> tuple[str, str]:
    """Its own description or else its semantic model's, and whose it is."""
    if own_words := description(node):
        return own_words, "node"
    return semantic, "semantic model" if semantic else ""


def label(node: Node) -> str:
    """The name to show, where somebody gave one."""
    meta = merged(node)
    return clean(text(own(node), "label") or text(node, "label") or text(meta, "label"))


def synonyms(node: Node) -> tuple[str, ...]:
    """``meta.synonyms`` and ``meta.t2s.synonyms``: a list, or one text with commas."""
    found: list[str] = []
    for holder in (merged(node), own(node)):
        given = holder.get("synonyms")
        parts = given.split(",") if isinstance(given, str) else items(holder, "synonyms")
        found += [clean(part) for part in parts if isinstance(part, str | int | float)]
    return tuple(dict.fromkeys(word for word in found if word))


def tags(node: Node) -> frozenset[str]:
    found = (*items(node, "tags"), *items(section(node, "config"), "tags"))
    return frozenset(str(tag).lower() for tag in found)


def personal(node: Node, marks: Sequence[str] = PERSONAL) -> bool | None:
    """Whether the node or column is marked as personal data; None when nothing is said.

    ``marks`` are tags and keys of meta, in lower case; ``meta.t2s.personal`` always says it.
    """
    meta = {str(key).lower(): value for key, value in merged(node).items()}
    said = [meta[mark] for mark in marks if meta.get(mark) is not None]
    said += [own(node).get("personal")] if "personal" in own(node) else []
    if tags(node) & frozenset(marks) or any(_means_yes(value) for value in said):
        return True
    return False if said else None


def _means_yes(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in ("", "false", "no", "none", "0")
    return bool(value)
