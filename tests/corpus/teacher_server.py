"""A small server that speaks chat completions over real HTTP, well or badly, as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# What is answered: (status, headers, body); None for no answer at all until the server ends.
Reply = tuple[int, dict[str, str], bytes] | None


@dataclass
class Served:
    """``url`` and what was asked: the bodies of the requests and their keys."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def said(text: str) -> Reply:
    """A completion as the protocol words it."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "1", "object": "chat.completion", "model": "tutor", "choices": [choice]}
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


@contextmanager
def serving(answer: Callable[[str, int], Reply]) -> Iterator[Served]:
    """Serves ``answer(the user's text, how many were asked before)`` on a free local port."""
    over = threading.Event()
    served = Served("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = len(served.asked)
            served.asked.append(body)
            served.keys.append(self.headers.get("Authorization") or "")
            right = self.path == "/v1/chat/completions"
            reply = answer(body["messages"][-1]["content"], number) if right else (404, {}, b"")
            if reply is None:
                over.wait(20)
                return
            status, headers, content = reply
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield served
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
