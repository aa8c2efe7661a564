"""Evidence as a person reads it: node ids without what all of them share, and the place if any."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ID = re.compile(
    r"(?P<kind>[a-z_]+)\.(?P<package>\w+)\.(?P<name>[^\s:]+?)(?P<hash>\.[0-9a-f]{10})?"
)
_PLACE = re.compile(r"\S+\.\w+:\d+")
# Nodes that are called by their name alone; of others the kind is said.
_DATA = ("model", "seed", "snapshot", "source")
_ENTITY = re.compile(r"semantic_model\.\S+ (entity \S+) -> \S+")


def cited(reference: str, project: str, table: str = "") -> str:
    """``model.shop.stg_orders`` → stg_orders; what is no node's id stays as it is.

    The name of a generic test says again what it tests: of a test on ``table`` only its kind is
    kept (``relationships test``).
    """
    if match := _ENTITY.fullmatch(reference):
        return match[1]
    match = _ID.fullmatch(reference)
    if match is None:
        return reference
    name = match["name"]
    if match["kind"] == "test":
        before, found, _ = name.partition(f"_{table}_")
        return f"{before if found and table and match['hash'] else name} test"
    if match["package"] != project:
        name = f"{match['package']}.{name}"
    return name if match["kind"] in _DATA else f"{match['kind'].replace('_', ' ')} {name}"


def shortened(expression: str, project: str) -> str:
    """SQL over column references, without what their nodes' ids share."""
    return re.sub(rf"\b({'|'.join(_DATA)})\.{re.escape(project)}\.(?=\w)", "", expression)


def queries(references: Sequence[str]) -> tuple[str, ...]:
    """Those that are nodes with SQL of their own."""
    kinds = ("model.", "analysis.", "snapshot.")
    return tuple(each for each in references if each.startswith(kinds) and _ID.fullmatch(each))


def place(references: Sequence[str], project: str) -> str:
    """The file and line that says it, else the first of the references and how many more."""
    written = [each for each in references if _PLACE.fullmatch(each)]
    shown = [cited(each, project) for each in references]
    if written or len(shown) < 2:
        return (written or shown or [""])[0]
    return f"{shown[0]} and {len(shown) - 1} more"
