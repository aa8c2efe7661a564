"""The wall that counts: DuckDB's own parse tree of a statement against what is allowed.

The tree comes from the parser that will run the text, so no trick of quoting, comments or syntax
can make this check and the database disagree. Everything is an allow-list: node types, table
references, functions and relations that are not known are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbt_t2s.duck import QueryError
from dbt_t2s.judge.functions import is_allowed
from dbt_t2s.judge.relations import Allowed

_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"})
_REFERENCES = frozenset(
    {"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY"}
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
        return _Scope(self.allowed, self.ctes | {name.lower()})


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
        if kind == "BASE_TABLE":
            _check_table(node, scope)


def _check_function(node: Mapping[str, Any]) -> None:
    path = node.get("qualified_name", {}).get("path") or [node.get("function_name", "")]
    if len(path) != 1 or node.get("schema") or node.get("catalog"):
        raise Refused(f"functions are called without a schema: {'.'.join(map(str, path))}")
    if not is_allowed(str(path[0])):
        raise Refused(f"the function {path[0]} is not allowed")


def _check_table(node: Mapping[str, Any], scope: _Scope) -> None:
    path = node.get("qualified_name", {}).get("path") or [
        part
        for part in (node.get("catalog_name"), node.get("schema_name"), node.get("table_name"))
        if part
    ]
    parts = tuple(str(part) for part in path)
    if len(parts) == 1 and parts[0].lower() in scope.ctes:
        return
    if not scope.allowed.permits(parts):
        raise Refused(f"the table {'.'.join(parts)} is not one of the queryable tables")


def _plain(kind: object) -> str:
    return str(kind).removesuffix("_QUERY_NODE").removesuffix("_NODE").replace("_", " ").lower()
