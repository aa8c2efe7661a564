"""Who may come in: hosts, origins, tokens, sizes and how often, before a route is looked at.

A browser sends requests for any page it shows, also to this machine alone; so a page elsewhere must
neither ask here (its origin is another) nor make this address its own (DNS rebinding: the name in
``Host`` is another).
"""

from __future__ import annotations

import hmac
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Without a token these can be read: they say nothing of the project.
OPEN = frozenset({"/", "/page.css", "/page.js", "/healthz", "/openapi.json"})
LARGEST = 64_000
SHORTEST_TOKEN = 16
_CLIENTS = 4_096
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Rules:
    """``token`` is empty where none is needed: on loopback. ``rate`` is requests in a second."""

    token: str = ""
    only_loopback: bool = True
    rate: float = 20.0
    burst: int = 120


@dataclass(frozen=True)
class Refusal:
    """Why a request goes no further; ``after`` is when it may be tried again, in seconds."""

    status: int
    reason: str
    after: int = 0


class Door:
    """ASGI around the application: refuses, bounds bodies, and adds headers to all answers."""

    def __init__(self, app: App, rules: Rules, refused: Callable[[int], None]) -> None:
        self._app = app
        self._rules = rules
        self._refused = refused
        self._rates = Rates(rules.rate, rules.burst)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            self._refused(refusal.status)
            await _refuse(send, refusal)
            return
        await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Message, headers: dict[str, str]) -> Refusal | None:
        path, client = str(scope["path"]), str((scope.get("client") or ("",))[0])
        if self._rules.only_loopback and _host(headers.get("host", "")) not in LOOPBACK:
            return Refusal(403, "this server answers to localhost alone")
        if _is_foreign(headers, str(scope["method"])):
            return Refusal(403, "requests from other origins are not answered")
        if path not in OPEN and not self._may(headers):
            return Refusal(401, "a token is needed: Authorization: Bearer …")
        if not headers.get("content-length", "0").isdigit():
            return Refusal(400, "content-length is no number")
        if int(headers.get("content-length", "0")) > LARGEST:
            return Refusal(413, f"a request may have {LARGEST:,} bytes")
        if path.startswith("/api/") and not self._rates.allow(client):
            return Refusal(429, "too many requests", after=1)
        return None

    def _may(self, headers: dict[str, str]) -> bool:
        if not self._rules.token:
            return True
        given = headers.get("authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {self._rules.token}".encode())


class Rates:
    """A bucket of ``burst`` requests for each client, filled at ``rate`` a second."""

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allow(self, client: str) -> bool:
        """Whether one more request of this client is answered."""
        now = self._clock()
        left, last = self._left.pop(client, (float(self._burst), now))
        left = min(self._burst, left + (now - last) * self._rate)
        self._left[client] = (max(left - 1, 0.0) if left >= 1 else left, now)
        if len(self._left) > _CLIENTS:
            self._left.popitem(last=False)  # who was not here for longest has a full bucket
        return left >= 1


def _headers(scope: Message) -> dict[str, str]:
    return {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}


def _host(text: str) -> str:
    """The name in a Host header, without its port."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if ":" in text else text


def _is_foreign(headers: dict[str, str], method: str) -> bool:
    """Whether a browser says that another page sent this."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host", ""):
        return True
    site = headers.get("sec-fetch-site", "none")
    followed = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    return site not in ("none", "same-origin") and not followed


async def _refuse(send: Send, refusal: Refusal) -> None:
    body = json.dumps({"error": refusal.reason}).encode()
    headers = {**_HEADERS, "content-type": "application/json", "content-length": str(len(body))}
    if refusal.after:
        headers["retry-after"] = str(refusal.after)
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    if refusal.status == 413:
        headers["connection"] = "close"
    await send({"type": "http.response.start", "status": refusal.status, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_raw(_HEADERS)]
        await send(message)

    return sent


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(key.encode(), value.encode()) for key, value in headers.items()]
