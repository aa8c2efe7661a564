"""The API as an OpenAPI 3.1 document."""

from __future__ import annotations

from functools import cache
from typing import Any

from dbt_t2s import __version__
from dbt_t2s.serve.ask import LONGEST, MOST_TURNS
from dbt_t2s.serve.log import VERDICTS

_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "number"}
_WHOLE: dict[str, Any] = {"type": "integer"}
_STATUS: dict[str, Any] = {"enum": ["ok", "refused", "error"]}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_BASIS = _object(
    kind={"enum": ["metric", "rule", "filter", "join", "table"]},
    name=_TEXT,
    sentence=_TEXT,
    place=_TEXT,
)
_CHART = _object(kind={"enum": ["series", "split"]}, label=_WHOLE, value=_WHOLE)
_ANSWER = _object(
    question=_TEXT,
    status=_STATUS,
    sql=_TEXT,
    columns=_list(_TEXT),
    rows=_list({"type": "array"}),
    confidence=_NUMBER,
    attempts=_WHOLE,
    latency_ms=_NUMBER,
    reason=_TEXT,
    execution_ms=_NUMBER,
    id=_TEXT,
    rests_on=_list(_BASIS),
    assumed=_list(_TEXT),
    built=_TEXT,
    nearest=_list(_TEXT),
    read_as={**_TEXT, "description": "The whole question that a follow-up was read as."},
    plan=_TEXT,
    chart={"anyOf": [_CHART, {"type": "null"}]},
)
_SAID = _object(
    id=_TEXT,
    recorded_at=_TEXT,
    log_id=_TEXT,
    question=_TEXT,
    verdict={"enum": list(VERDICTS)},
    sql_text=_TEXT,
    corrected_sql=_TEXT,
    note=_TEXT,
    person=_TEXT,
    target_name=_TEXT,
)
_ASKED = _object(
    id=_TEXT,
    logged_at=_TEXT,
    question=_TEXT,
    status=_STATUS,
    sql_text=_TEXT,
    reason=_TEXT,
    row_count=_WHOLE,
    latency_ms=_NUMBER,
    execution_ms=_NUMBER,
    confidence=_NUMBER,
    model=_TEXT,
    target_name=_TEXT,
    verdict={"enum": ["", *VERDICTS]},
)
_KNOWN = _object(
    project=_TEXT,
    metrics=_list(_object(name=_TEXT, label=_TEXT, description=_TEXT)),
    tables=_list(_object(name=_TEXT, description=_TEXT, columns=_list(_TEXT))),
    questions=_list(_TEXT),
)
_ERROR = {
    "type": "object",
    "properties": {"error": _TEXT, "hint": _TEXT},
    "required": ["error"],
    "additionalProperties": False,
}
# Characters of a turn's whole question, and of its SQL or plan.
TOLD, LONGEST_SQL = 10_000, 20_000
_TURN = {
    "type": "object",
    "properties": {
        "question": {
            **_TEXT,
            "maxLength": TOLD,
            "description": "The answer's `read_as`, or its `question` where that is empty.",
        },
        "sql": {**_TEXT, "maxLength": LONGEST_SQL},
        "plan": {**_TEXT, "maxLength": LONGEST_SQL, "description": "The answer's, if known."},
    },
    "required": ["question", "sql"],
    "additionalProperties": False,
}
_QUESTION = {
    "type": "object",
    "properties": {
        "question": {**_TEXT, "description": f"At most {LONGEST:,} characters."},
        "previous": {
            **_list(_TURN),
            "maxItems": MOST_TURNS,
            "description": "The conversation so far, the last answer last: the question may lean "
            "on it. The server keeps no conversations.",
        },
    },
    "required": ["question"],
    "additionalProperties": False,
}
_STATEMENT = {
    "type": "object",
    "properties": {
        "id": {**_TEXT, "minLength": 1, "description": "The answer's id."},
        "verdict": {"enum": list(VERDICTS), "description": "`wrong` where there is `sql`."},
        "sql": {**_TEXT, "description": "The SQL that would be right."},
        "note": _TEXT,
        "person": _TEXT,
        "replace": {"type": "boolean", "description": "In the place of what was said before."},
    },
    "required": ["id"],
    "additionalProperties": False,
}
# What any route may say, and what those that do some work may.
_ANY = {"401": "No token, or another.", "403": "Another host or origin.", "429": "Too often."}
_WORK = {"422": "What was sent means nothing here.", "503": "Busy, or the log is open elsewhere."}
_BODY = {"400": "No JSON.", "408": "Too slow.", "413": "Too large.", "415": "No JSON, it says."}


def _route(
    about: str,
    answer: dict[str, Any],
    more: dict[str, str],
    *,
    body: dict[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": "Done.", **_json(answer)}}
    for code, meaning in sorted({**_ANY, **more}.items()):
        responses[code] = {"description": meaning, **_json({"$ref": "#/components/schemas/Error"})}
    route: dict[str, Any] = {"summary": about, "responses": responses}
    if body is not None:
        route["requestBody"] = {"required": True, **_json(body)}
    if parameters:
        route["parameters"] = parameters
    return route


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


@cache
def document() -> dict[str, Any]:
    """The document; not to be changed."""
    limit = {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
    }
    ask = _route("Ask a question", _ref("Answer"), {**_WORK, **_BODY}, body=_QUESTION)
    say = _route("Say what you think of one", _ref("Said"), {**_WORK, **_BODY}, body=_STATEMENT)
    asked = _object(asked=_list(_ASKED))
    health = _route("Whether it is there", _object(status=_TEXT, version=_TEXT), {})
    counted = _route("What was counted, for Prometheus", _TEXT, {})
    counted["responses"]["200"]["content"] = {"text/plain": {"schema": _TEXT}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "dbt-t2s", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": {
            "/api/ask": {"post": ask},
            "/api/feedback": {"post": say},
            "/api/history": {"get": _route("The last questions", asked, _WORK, parameters=[limit])},
            "/api/known": {"get": _route("What can be asked", _KNOWN, _WORK)},
            "/healthz": {"get": {**health, "security": []}},
            "/metrics": {"get": counted},
            "/openapi.json": {
                "get": {**_route("This document", {"type": "object"}, {}), "security": []}
            },
        },
        "components": {
            "schemas": {"Answer": _ANSWER, "Said": _SAID, "Error": _ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
