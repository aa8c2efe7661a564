"""The verb ``mcp``, asked by the protocol's official client."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from dbt_t2s.answers import Answerer
from dbt_t2s.errors import ServeError
from dbt_t2s.serve import tools
from tests.conftest import t2s

pytest.importorskip("mcp")
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import CallToolResult

from dbt_t2s.agents import server_of

Talk = Callable[[Client], Awaitable[Any]]
TOOLS = {"ask", "explain", "list_metrics", "list_tables", "describe", "feedback"}


def talk(answerer: Answerer, say: Talk) -> Any:
    """What ``say`` gives of a client that is connected to the server in this process."""

    async def connected() -> Any:
        async with Client(server_of(answerer)) as client:
            return await say(client)

    return anyio.run(connected)


def call(answerer: Answerer, tool: str, **arguments: object) -> CallToolResult:
    async def say(client: Client) -> CallToolResult:
        found = await client.call_tool(tool, arguments)
        assert isinstance(found, CallToolResult)
        return found

    found: CallToolResult = talk(answerer, say)
    return found


def content(found: CallToolResult) -> dict[str, Any]:
    assert not found.is_error, found.content
    held: dict[str, Any] = found.structured_content or {}
    return held


def complaint(found: CallToolResult) -> str:
    assert found.is_error
    return str(found.content)


def test_the_tools_say_what_they_do(answerer: Answerer) -> None:
    async def say(client: Client) -> Any:
        return (await client.list_tools()).tools

    listed = talk(answerer, say)
    assert {each.name for each in listed} == TOOLS
    assert all(len(each.description) > 40 for each in listed)


def test_a_question_gets_rows_and_what_they_rest_on(answerer: Answerer) -> None:
    found = content(call(answerer, "ask", question="number of orders by status", rows=1))
    assert found["status"] == "ok"
    assert found["row_count"] >= len(found["rows"]) == 1
    assert found["rests_on"]
    explained = content(call(answerer, "explain", sql=found["sql"]))
    assert {each["name"] for each in explained["rests_on"]} >= {"orders"}
    kept = content(call(answerer, "feedback", id=found["id"], verdict="right"))
    assert kept["kept"]["verdict"] == "right"


def test_a_follow_up_goes_on_from_the_last_answer(answerer: Answerer) -> None:
    async def say(client: Client) -> CallToolResult:
        await client.call_tool("ask", {"question": "number of orders by status"})
        asked = {"question": "only from FR", "follow_up": True}
        found = await client.call_tool("ask", asked)
        assert isinstance(found, CallToolResult)
        return found

    found = content(talk(answerer, say))
    assert found["read_as"] == "number of orders by status; then only from FR"


def test_what_can_be_asked_is_listed_and_described(answerer: Answerer) -> None:
    tables = content(call(answerer, "list_tables"))["tables"]
    assert {each["name"] for each in tables} >= {"orders", "customers"}
    assert content(call(answerer, "list_tables", about="zeppelin")) == {"tables": []}
    metrics = content(call(answerer, "list_metrics"))["metrics"]
    assert len(metrics) == len(answerer.schema.metrics)
    described = content(call(answerer, "describe", name="orders"))
    assert {each["name"] for each in described["columns"]} >= {"order_id", "status"}
    assert described["joins"] == [
        {"columns": ["customer_id"], "to": "customers", "to_columns": ["customer_id"]}
    ]


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("describe", {"name": "zeppelins"}, "no table or metric zeppelins"),
        ("explain", {"sql": "select 1"}, "nothing in this SQL"),
        ("explain", {"sql": "select from where ((("}, "nothing in this SQL"),
        ("feedback", {"id": "f" * 32, "verdict": "right"}, "no question has the id"),
        ("feedback", {"id": "", "verdict": "splendid"}, "splendid"),
        ("ask", {"rows": 3}, "question"),
        ("drop_tables", {}, "drop_tables"),
    ],
)
def test_what_cannot_be_done_is_told(
    answerer: Answerer, tool: str, arguments: dict[str, object], told: str
) -> None:
    assert told in complaint(call(answerer, tool, **arguments))


def test_personal_values_stay_out(answerer: Answerer) -> None:
    from dataclasses import replace

    (table,) = (each for each in answerer.schema.tables if each.name == "orders")
    columns = tuple(
        replace(c, personal=True, values=("a person",)) if c.name == "status" else c
        for c in table.columns
    )
    schema = replace(answerer.schema, tables=(replace(table, columns=columns),))
    assert "a person" not in json.dumps(tools.described(schema, "orders", str))
    with pytest.raises(ServeError, match="customers"):
        tools.described(schema, "customers", str)


def test_it_speaks_on_standard_input_and_output(shop_in_use: Path) -> None:
    started = StdioServerParameters(
        command=sys.executable, args=["-m", "dbt_t2s", "mcp", "--project-dir", str(shop_in_use)]
    )

    async def connected() -> dict[str, Any]:
        async with Client(stdio_client(started)) as client:
            return content(await client.call_tool("ask", {"question": "how many customers?"}))

    assert anyio.run(connected)["status"] in ("ok", "refused")


def test_without_a_model_it_does_not_start(tmp_path: Path, shop_in_use: Path) -> None:
    done = t2s("mcp", "--target-path", str(tmp_path / "empty"), cwd=shop_in_use)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "dbt-t2s train" in done.stderr
