"""The verb ``mcp``: the model as tools for agents and editors (Model Context Protocol, stdio)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

try:
    from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
except ImportError as missing:
    from dbt_t2s.errors import UsageError

    raise UsageError(
        f"the protocol's library is not installed ({missing.name})",
        where="dbt-t2s mcp",
        hint='pip install "dbt-t2s[mcp]"',
    ) from missing

from dbt_t2s import __version__, hearing
from dbt_t2s.answers import Answerer, answering
from dbt_t2s.errors import ServeError, T2SError
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve import tools
from dbt_t2s.serve.ask import continued
from dbt_t2s.serve.evidence import basis_of
from dbt_t2s.serve.feedback import Statement, said_as
from dbt_t2s.workspace import Workspace

P = ParamSpec("P")
R = TypeVar("R")
_MOST_ROWS = 1_000


def serve(workspace: Workspace) -> None:
    """Answers on standard input and output until the client goes away."""
    with answering(workspace) as answerer:
        server_of(answerer).run("stdio")


def server_of(answerer: Answerer) -> MCPServer[Any]:
    """The server with its tools; one question is answered at a time."""
    schema = answerer.schema
    made: MCPServer[Any] = MCPServer(
        "dbt-t2s",
        version=__version__,
        instructions=(
            f"Answers questions about the data of the dbt project {schema.project} with a small "
            "model that was trained on it. Ask in plain English, one question at a time; read the "
            "SQL and what it rests on before you rely on the rows."
        ),
        log_level="WARNING",
    )
    turn = threading.Lock()
    talk: list[tuple[Turn, ...]] = [()]

    def tool(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def taken(*args: P.args, **kwargs: P.kwargs) -> R:
            with turn, _told():
                return function(*args, **kwargs)

        made.add_tool(taken)
        return taken

    @tool
    def ask(question: str, rows: int = tools.ROWS, follow_up: bool = False) -> dict[str, Any]:
        """Answer a question about the project's data: SQL, rows, confidence, what it rests on.

        With `follow_up` it may lean on the answers before it ("and by store?", "only 2025");
        "read_as" is then the whole question that it was read as. A status of "refused" means that
        the data cannot answer it; "nearest" then holds questions that can be asked instead.
        """
        before = talk[0] if follow_up else ()
        found = answerer.ask(question, before)
        talk[0] = continued(before, found)
        return tools.told(found, min(max(rows, 0), _MOST_ROWS))

    @tool
    def explain(sql: str) -> dict[str, Any]:
        """Say which metrics, rules, filters, joins and tables a SELECT of this project rests on."""
        place_of = answerer.explainer.place_of if answerer.explainer else _nowhere
        found = basis_of(sql, (), schema, place_of)
        if not found:
            raise ServeError(
                "nothing in this SQL is known to the project", where="sql", hint="ask first"
            )
        return {"rests_on": [vars(each) for each in found]}

    @tool
    def list_metrics(about: str = "") -> dict[str, Any]:
        """List the project's metrics, or those whose words hold all of `about`."""
        return {"metrics": tools.metrics(schema, about)}

    @tool
    def list_tables(about: str = "") -> dict[str, Any]:
        """List the tables that can be asked, or those whose words hold all of `about`."""
        return {"tables": tools.tables(schema, about)}

    @tool
    def describe(name: str) -> dict[str, Any]:
        """All that is known of one table (columns, values, rules, joins) or of one metric."""
        place_of = answerer.explainer.place_of if answerer.explainer else _nowhere
        return tools.described(schema, name, place_of)

    @tool
    def feedback(id: str, verdict: str, sql: str = "", note: str = "") -> dict[str, Any]:
        """Say of the answer with this id: right, wrong (with the right SQL) or should_refuse."""
        statement = said_as(verdict, sql, Statement("", log_id=id, note=note))
        (kept,) = hearing.hear(answerer.workspace, (statement,), person=None, instead=False)
        return {"kept": vars(kept)}

    return made


def _nowhere(_: str) -> str:
    return ""


@contextmanager
def _told() -> Iterator[None]:
    """A failure that a person can act on is told to the client, and the server goes on."""
    try:
        yield
    except T2SError as failure:
        raise ToolError(str(failure)) from failure
