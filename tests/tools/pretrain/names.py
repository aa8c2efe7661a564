"""How names of the question sets' databases become names as dbt projects write them."""

from __future__ import annotations

import re

_OTHER = re.compile(r"[^a-z0-9]+")
_KEPT = ("status", "address", "series", "species", "news", "bus", "class", "process", "gas")


def canonical(name: str) -> str:
    """What two spellings of one identifier share: ``Home Town`` and ``home_town`` → hometown."""
    return _OTHER.sub("", name.lower())


def snake(name: str, spoken: str) -> str:
    """``HireDate`` (spoken "hire date") → hire_date; abbreviations stay as they are."""
    source = spoken if canonical(spoken) == canonical(name) else name
    return _OTHER.sub("_", source.lower()).strip("_") or "column"


def singular(spoken: str) -> str:
    """The last word of a table's name in the singular, by English spelling alone."""
    head, _, last = spoken.rpartition(" ")
    if last in _KEPT or last.endswith(("ss", "us", "is")) or not last.endswith("s"):
        one = "person" if last == "people" else last
    elif last.endswith("ies") and len(last) > 4:
        one = last[:-3] + "y"
    elif last.endswith(("ches", "shes", "sses", "xes")):
        one = last[:-2]
    else:
        one = last[:-1]
    return f"{head} {one}".strip()
