"""The only importer of uvicorn: the verb ``serve``."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from types import FrameType

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dbt_t2s.errors import UsageError
from dbt_t2s.web.app import application
from dbt_t2s.web.desk import desk
from dbt_t2s.web.door import SHORTEST_TOKEN, App, Rules
from dbt_t2s.workspace import Workspace

TOKEN = "DBT_T2S_TOKEN"
# Connections, those that wait among them; more are told that it is busy.
CONNECTIONS = 500
STOP_S = 10
# A request's head comes in so many seconds, or its connection is closed.
HEAD_S = 10.0


class Impatient(H11Protocol):
    """Hangs up where a request's head does not end: it would keep its connection for ever."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait()
        else:
            self._heard()

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_S, self.transport.close)

    def _heard(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def rules_for(host: str, rate: float) -> Rules:
    """What the server asks of requests; UsageError where others could come in without a token."""
    token = os.environ.get(TOKEN, "")
    if token and len(token) < SHORTEST_TOKEN:
        raise UsageError(
            f"a token should have {SHORTEST_TOKEN} characters or more",
            where=TOKEN,
            hint=f"export {TOKEN}=$(openssl rand -hex 24)",
        )
    loopback = _is_loopback(host)
    if not loopback and not token:
        raise UsageError(
            f"on {host} others can ask, too: that needs a token",
            where=f"--host {host}",
            hint=f"export {TOKEN}=$(openssl rand -hex 24), or leave --host out",
        )
    return Rules(token, only_loopback=loopback, rate=rate, burst=max(int(rate * 6), 1))


def serve(workspace: Workspace, host: str, port: int, rate: float) -> None:
    """Answers until it is told to stop; what is in work then is finished first."""
    rules = rules_for(host, rate)
    with desk(workspace) as opened:
        shown = f"[{host}]" if ":" in host else host
        workspace.console.info(f"serving at http://{shown}:{port}/ (Ctrl-C stops)")
        with _stopped_in_order():
            server(application(opened, rules), host, port).run()
    workspace.console.info("stopped")


@contextmanager
def _stopped_in_order() -> Iterator[None]:
    """The server stops in order on these signals, and then sends them again: nobody is left."""
    before = {each: signal.signal(each, _nothing) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _nothing(number: int, frame: FrameType | None) -> None:
    """The signal was heard."""


def server(app: App, host: str, port: int) -> uvicorn.Server:
    """Bounded in connections, header sizes and waiting."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=STOP_S,
        http=Impatient,
        h11_max_incomplete_event_size=16_384,
        ws="none",
        proxy_headers=False,
    )
    return uvicorn.Server(config)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
