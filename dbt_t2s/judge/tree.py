"""The wall that counts: DuckDB's own parse tree of a statement against what is allowed.

The tree comes from the parser that will run the text, so no trick of quoting, comments or syntax
can make this check and the database disagree. Everything is an allow-list: node types, table
references, functions and relations that are not known are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbt_t2s.duck import QueryError
from dbt_t2s.judge.functions import TABLE_FUNCTIONS, is_allowed
from dbt_t2s.judge.relations import Allowed, folded

_SURROGATE = re.compile("[\ud800-\udfff]")
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"})
_REFERENCES = frozenset(
    {"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT"}
)
_MODIFIERS = frozenset(
    {
        "DISTINCT_MODIFIER",
        "LIMIT_MODIFIER",
        "LIMIT_PERCENT_MODIFIER",
        "ORDER_MODIFIER",
        "ORDER_DEFAULT",
        "ASCENDING",
        "DESCENDING",
    }
)
_EXPRESSIONS = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "LAMBDA_REF",
        "OPERATOR",
        "POSITIONAL_REFERENCE",
        "STAR",
        "SUBQUERY",
        "TYPE",
        "WINDOW",
    }
)


class Refused(Exception):
    """The statement asks for something that is not allowed."""


@dataclass(frozen=True)
class _Scope:
    """What a name may mean at one place: an allowed relation or a CTE in sight."""

    allowed: Allowed
    ctes: frozenset[str] = frozenset()

    def with_cte(self, name: str) -> _Scope:
        return _Scope(self.allowed, self.ctes | {folded(name)})


def check_text(text: str, max_length: int) -> QueryError | None:
    """What no parser needs to see: too long, or no text that a database takes."""
    if len(text) > max_length:
        return QueryError("forbidden", f"the statement is longer than {max_length:,} characters")
    if "\x00" in text:
        return QueryError("parse", "the statement holds a NUL character")
    if _SURROGATE.search(text):
        return QueryError("parse", "the statement holds half a character (a lone surrogate)")
    return None


def check_tree(statements: tuple[dict[str, Any], ...], allowed: Allowed) -> QueryError | None:
    """None if the parsed text is one harmless SELECT, else why it is not."""
    if len(statements) != 1:
        return QueryError("forbidden", f"one statement may run, not {len(statements)}")
    try:
        _walk(statements[0].get("node"), _Scope(allowed))
    except Refused as refused:
        return QueryError("forbidden", str(refused))
    except RecursionError:
        return QueryError("forbidden", "the statement is nested too deeply")
    return None


def _walk(value: object, scope: _Scope) -> None:
    if isinstance(value, list):
        for item in value:
            _walk(item, scope)
    elif isinstance(value, dict):
        _check_one(value, scope)
        inner = _with_ctes(value, scope) if "cte_map" in value else scope
        for key, child in value.items():
            if key != "cte_map":
                _walk(child, inner)


def _with_ctes(node: Mapping[str, Any], scope: _Scope) -> _Scope:
    """A CTE sees those before it, and itself only when it is recursive."""
    for entry in node["cte_map"].get("map", ()):
        query = entry["value"]["query_node"]
        recursive = query.get("type") == "RECURSIVE_CTE_NODE"
        body = scope.with_cte(entry["key"]) if recursive else scope
        _walk(dict(entry["value"]), body)
        scope = scope.with_cte(entry["key"])
    return scope


def _check_one(node: Mapping[str, Any], scope: _Scope) -> None:
    kind = node.get("type")
    family = node.get("class")
    if family is not None:
        if family not in _EXPRESSIONS:
            raise Refused(f"{str(family).lower()} expressions are not allowed")
        if family in ("FUNCTION", "WINDOW"):
            _check_function(node)
    elif "cte_map" in node:
        if kind not in _NODES:
            raise Refused(f"only a SELECT may run, not {_plain(kind)}")
    elif "sample" in node and "alias" in node:
        if kind not in _REFERENCES:
            raise Refused(f"{_plain(kind)} is not allowed in FROM")
        _check_reference(node, scope)
    elif isinstance(kind, str) and kind not in _MODIFIERS:
        raise Refused(f"{_plain(kind)} is not allowed")


def _check_reference(node: Mapping[str, Any], scope: _Scope) -> None:
    kind = node["type"]
    if kind == "BASE_TABLE":
        _check_table(node, scope)
    elif kind == "TABLE_FUNCTION":
        # Some names are harmless functions and, in FROM, macros that read any table: histogram.
        name = _function_path(node["function"])[-1]
        if folded(name) not in TABLE_FUNCTIONS:
            raise Refused(f"the function {name} is not allowed in FROM")
    elif kind == "PIVOT" and any(each.get("pivot_enum") for each in node["pivots"]):
        raise Refused("PIVOT over a type's values is not allowed")


def _function_path(node: Mapping[str, Any]) -> list[str]:
    path = node.get("qualified_name", {}).get("path") or [node.get("function_name", "")]
    return [str(part) for part in path]


def _check_function(node: Mapping[str, Any]) -> None:
    path = _function_path(node)
    if len(path) != 1 or node.get("schema") or node.get("catalog"):
        raise Refused(f"functions are called without a schema: {'.'.join(path)}")
    if not is_allowed(path[0]):
        raise Refused(f"the function {path[0]} is not allowed")


def _check_table(node: Mapping[str, Any], scope: _Scope) -> None:
    path = node.get("qualified_name", {}).get("path") or [
        part
        for part in (node.get("catalog_name"), node.get("schema_name"), node.get("table_name"))
        if part
    ]
    parts = tuple(str(part) for part in path)
    if len(parts) == 1 and folded(parts[0]) in scope.ctes:
        return
    if not scope.allowed.permits(parts):
        raise Refused(f"the table {'.'.join(parts)} is not one of the queryable tables")


def _plain(kind: object) -> str:
    return str(kind).removesuffix("_QUERY_NODE").removesuffix("_NODE").replace("_", " ").lower()
