"""A teacher model over HTTP: any endpoint that speaks OpenAI's chat completions.

Only the standard library. Answers are kept on disk by the fingerprint of what was asked, so that
a run that was stopped goes on without asking, or paying, twice.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt_t2s import store
from dbt_t2s.errors import UsageError

KEY = "DBT_T2S_TEACHER_KEY"
_MOST_BYTES = 1 << 20  # a longer reply is none
_TRIES = 3
_LONGEST_WAIT_S = 60.0
# A teacher that fails this often in a row is not asked any more.
_GIVEN_UP = 3
# Replies of these kinds may come out otherwise when asked again.
_AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Endpoint:
    """Where the teacher listens: ``url`` up to ``/v1``, or to ``/chat/completions`` itself."""

    url: str
    model: str
    key: str = ""
    timeout_s: float = 60.0

    @property
    def address(self) -> str:
        base = self.url.rstrip("/")
        return base if base.endswith("/chat/completions") else f"{base}/chat/completions"


class Teacher:
    """Asks within a budget of requests; ``problems`` says why it did not answer.

    ``ask`` gives None where there is no answer: the budget is spent, the teacher is given up on, or
    what came is no answer. Waiting is at most a minute a try.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        cache: Path,
        budget: int,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        _check(endpoint)
        self._endpoint, self._cache, self._sleep = endpoint, cache, sleep
        self.left = budget
        self.asked = self.remembered = self._failed = 0
        self.problems: dict[str, int] = {}
        # A redirect would take the key, and the question, to where nobody sent it.
        self._opener = urllib.request.build_opener(_NoRedirect)

    def ask(self, system: str, question: str, *, seed: int = 0) -> str | None:
        """The teacher's text."""
        body = {
            "model": self._endpoint.model,
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": question},
            ],
            "temperature": 0.8,
            "seed": seed,
            "stream": False,
        }
        payload = json.dumps(body, sort_keys=True, ensure_ascii=False).encode()
        name = hashlib.sha256(self._endpoint.address.encode() + b"\n" + payload).hexdigest()
        path = self._cache / f"{name}.txt"
        kept = _read(path)
        if kept is not None:
            self.remembered += 1
            return kept
        if self._failed >= _GIVEN_UP:
            return None
        text = self._asked(payload)
        if text is None:
            return None
        store.write_text(path, text)
        return text

    def _asked(self, payload: bytes) -> str | None:
        """Tries until there is an answer; every try costs one of the budget."""
        why = ""
        for _ in range(_TRIES):
            if self.left <= 0:
                self._problem(why or "the budget is spent")
                return None
            self.left -= 1
            self.asked += 1
            text, why, wait = self._once(payload)
            if text is not None:
                self._failed = 0
                return text
            if wait is None:
                break
            self._sleep(wait)
        self._failed += 1
        self._problem(why)
        if self._failed >= _GIVEN_UP:
            self._problem(f"given up on after {_GIVEN_UP} questions without an answer")
        return None

    def _once(self, payload: bytes) -> tuple[str | None, str, float | None]:
        """(text, or why there is none, how long to wait before asking again: None for never)."""
        headers = {"Content-Type": "application/json", "User-Agent": "dbt-t2s"}
        if self._endpoint.key:
            headers["Authorization"] = f"Bearer {self._endpoint.key}"
        request = urllib.request.Request(self._endpoint.address, payload, headers, method="POST")
        ends = time.monotonic() + self._endpoint.timeout_s
        try:
            with self._opener.open(request, timeout=self._endpoint.timeout_s) as reply:
                raw = _bounded(reply, ends)
        except urllib.error.HTTPError as error:
            with error:
                wait = _wait(error.headers.get("Retry-After")) if error.code in _AGAIN else None
            return None, f"it answered HTTP {error.code}", wait
        except (TimeoutError, urllib.error.URLError, http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            late = isinstance(reason, TimeoutError)
            what = "it did not answer in time" if late else f"it cannot be reached: {reason}"
            return None, what, None if late else 1.0
        if raw is None:
            return None, f"its reply is longer than {_MOST_BYTES >> 20} MiB", None
        text = _content(raw)
        return (text, "", None) if text is not None else (None, "its reply is no answer", 1.0)

    def _problem(self, what: str) -> None:
        self.problems[what] = self.problems.get(what, 0) + 1


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _check(endpoint: Endpoint) -> None:
    parts = urllib.parse.urlsplit(endpoint.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise UsageError(
            f"the teacher's address should be like http://localhost:8000/v1, not {endpoint.url}",
            where="teacher",
            hint=f"give the address alone, and a key in the environment variable {KEY}",
        )
    if not endpoint.model:
        raise UsageError(
            "the teacher's model has no name",
            where="teacher_model",
            hint="name it with --teacher-model",
        )
    # A header is one line of Latin letters.
    if not (endpoint.key.isascii() and endpoint.key.isprintable()):
        raise UsageError("the teacher's key has odd characters", where=KEY, hint="set it again")


def _bounded(reply: http.client.HTTPResponse, ends: float) -> bytes | None:
    """The reply, None where it is too long; TimeoutError where it trickles on for too long."""
    found = bytearray()
    while part := reply.read1(1 << 16):
        found += part
        if len(found) > _MOST_BYTES:
            return None
        if time.monotonic() > ends:
            raise TimeoutError("the reply does not end")
    return bytes(found)


def _wait(header: str | None) -> float:
    """Seconds to wait; a date, which Retry-After may also be, is taken as a few."""
    try:
        seconds = float(header or 1)
    except ValueError:
        seconds = 5.0
    return min(max(seconds, 0.0), _LONGEST_WAIT_S) if seconds == seconds else 5.0


def _content(raw: bytes) -> str | None:
    """The text of a chat completion; None where the reply is none."""
    try:
        found: Any = json.loads(raw)
        text = found["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return text if isinstance(text, str) and text.strip() else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):  # a torn answer is asked for again
        return None
