"""The only importer of starlette: routes, and requests turned into calls of the desk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dbt_t2s import __version__
from dbt_t2s.errors import StoreError, T2SError, WarehouseError
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve.ask import MOST_TURNS
from dbt_t2s.web import metrics
from dbt_t2s.web.desk import Desk
from dbt_t2s.web.door import LARGEST, Door, Rules
from dbt_t2s.web.openapi import LONGEST_SQL, TOLD, document

# Requests that are worked on at once, and those that may wait: more are told to come again.
# Of those most wait for a reader, which reads together what waits.
AT_ONCE, WAITING = 48, 100
BODY_S, WORK_S = 10.0, 30.0
MOST_HISTORY = 500
_PAGE = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js"}
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

Answer = Callable[[Request], Awaitable[Response]]


def application(desk: Desk, rules: Rules) -> Door:
    """The whole server as ASGI."""
    counted = partial(desk.metrics.add, "t2s_requests_total")
    office = _Office(desk)
    routes = [Route(path, partial(_page, name), methods=["GET"]) for path, name in _PAGE.items()]
    routes += [
        Route("/healthz", office.health, methods=["GET"]),
        Route("/metrics", office.metrics, methods=["GET"]),
        Route("/openapi.json", office.openapi, methods=["GET"]),
        Route("/api/ask", office.ask, methods=["POST"]),
        Route("/api/feedback", office.feedback, methods=["POST"]),
        Route("/api/history", office.history, methods=["GET"]),
        Route("/api/known", office.known, methods=["GET"]),
    ]
    handlers: dict[Any, Any] = {HTTPException: _failed, T2SError: _told, Exception: _crashed}
    inner = Starlette(routes=routes, exception_handlers=handlers)
    inner.add_middleware(_Counting, counted=counted)
    return Door(inner, rules, lambda status: counted(path="refused", code=str(status)))


class _Counting:
    """Counts answers by route and code."""

    def __init__(self, app: Any, counted: Callable[..., None]) -> None:
        self._app, self._counted = app, counted

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                known = scope["path"] in document()["paths"] or scope["path"] in _PAGE
                path = scope["path"] if known else "other"
                self._counted(path=path, code=str(message["status"]))
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)


class _Office:
    """The routes of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._inside = 0
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def ask(self, request: Request) -> Response:
        content = await _content(request)
        given = _only(content, {"question": str, "previous": list}, needed=("question",))
        before = tuple(map(_turn, given.get("previous", ())))
        if len(before) > MOST_TURNS:
            raise HTTPException(422, f"previous may have {MOST_TURNS} turns")
        return JSONResponse(await self._worked(self._desk.ask, given["question"], before))

    async def feedback(self, request: Request) -> Response:
        content = await _content(request)
        kinds = dict.fromkeys(("id", "verdict", "sql", "note", "person"), str)
        given = _only(content, {**kinds, "replace": bool}, needed=("id",))
        person, instead = given.pop("person", ""), given.pop("replace", False)
        if len(person) > 200:
            raise HTTPException(422, "person is longer than 200 characters")
        return JSONResponse(await self._worked(self._desk.say, given, person, instead))

    async def history(self, request: Request) -> Response:
        text = request.query_params.get("limit", "50")
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_HISTORY):
            raise HTTPException(422, f"limit should be a number from 1 to {MOST_HISTORY}")
        return JSONResponse(await self._worked(self._desk.history, int(text)))

    async def known(self, request: Request) -> Response:
        return JSONResponse(await self._worked(self._desk.known))

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def metrics(self, request: Request) -> Response:
        # In full, or the framework would name the character set twice.
        text = self._desk.metrics.text()
        return Response(text, headers={"content-type": metrics.CONTENT_TYPE})

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(document())

    async def _worked(self, work: Callable[..., dict[str, Any]], *values: Any) -> dict[str, Any]:
        """Runs it in a thread, or says that there is too much to do."""
        if self._inside >= AT_ONCE + WAITING:
            raise HTTPException(503, "too busy", headers={"retry-after": "2"})
        self._inside += 1
        try:
            with anyio.fail_after(WORK_S):
                return await run_sync(
                    partial(work, *values), limiter=self._limiter, abandon_on_cancel=True
                )
        except TimeoutError as error:
            raise HTTPException(503, f"no answer within {WORK_S:.0f} s") from error
        finally:
            self._inside -= 1


async def _content(request: Request) -> Any:
    """The JSON that a request holds, read within bounds."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send application/json")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST:
                    raise HTTPException(413, f"a request may have {LARGEST:,} bytes")
    except TimeoutError as error:
        raise HTTPException(408, f"the request did not come within {BODY_S:.0f} s") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "the client went away") from error
    try:
        content = json.loads(bytes(body))
        # Half a character may be spelled in JSON and is no text anywhere else.
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "this is no JSON") from error
    return content


def _only(content: Any, kinds: dict[str, type], needed: tuple[str, ...]) -> dict[str, Any]:
    """The object's values, of these names and kinds alone."""
    if not isinstance(content, dict):
        raise HTTPException(422, "send one object")
    for name, value in content.items():
        if name not in kinds:
            raise HTTPException(422, f"{name[:80]!r} means nothing here")
        if type(value) is not kinds[name]:
            raise HTTPException(422, f"{name} should be a {kinds[name].__name__}")
    missing = [name for name in needed if name not in content]
    if missing:
        raise HTTPException(422, f"{missing[0]} is missing")
    return dict(content)


def _turn(content: Any) -> Turn:
    """A question that was answered before, as a request tells it."""
    given = _only(content, dict.fromkeys(("question", "sql", "plan"), str), ("question", "sql"))
    if len(given["question"]) > TOLD or max(len(text) for text in given.values()) > LONGEST_SQL:
        raise HTTPException(422, "a turn of previous is too long")
    return Turn(given["question"], given["sql"], given.get("plan", ""))


async def _page(name: str, request: Request) -> Response:
    path = Path(__file__).with_name(name)
    return Response(path.read_text(encoding="utf-8"), media_type=_TYPES[path.suffix])


async def _failed(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


async def _told(request: Request, failure: T2SError) -> Response:
    """What a person can act on: the log is open elsewhere, or what they said cannot be kept."""
    passing = isinstance(failure, WarehouseError | StoreError)
    headers = {"retry-after": "5"} if passing else None
    body = {"error": failure.what, "hint": failure.hint}
    return JSONResponse(body, 503 if passing else 422, headers=headers)


async def _crashed(request: Request, crash: Exception) -> Response:
    return JSONResponse({"error": f"dbt-t2s crashed: {type(crash).__name__}"}, 500)
