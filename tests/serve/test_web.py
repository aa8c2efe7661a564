"""The server, really serving: the page, the API against its own document, and hostile requests."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_t2s.answers import Answerer
from dbt_t2s.hearing import hearing
from dbt_t2s.web import server as server_module
from dbt_t2s.web.app import application
from dbt_t2s.web.desk import Desk, Remembering
from dbt_t2s.web.door import Rules
from dbt_t2s.web.metrics import Metrics
from dbt_t2s.web.openapi import document
from dbt_t2s.web.readers import reading
from dbt_t2s.web.server import server
from dbt_t2s.workspace import Workspace

TOKEN = "0123456789abcdef"
MANY = Rules(rate=1e6, burst=1_000_000)


@dataclass(frozen=True)
class Got:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    port: int

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> Got:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named, encode_chunked=not isinstance(body, bytes))
        response = connection.getresponse()
        found = Got(response.status, dict(response.getheaders()), response.read())
        connection.close()
        return found

    def get(self, path: str, **headers: str) -> Got:
        return self.raw("GET", path, **headers)

    def post(self, path: str, content: Any, **headers: str) -> Got:
        body = json.dumps(content).encode()
        return self.raw("POST", path, body, content_type="application/json", **headers)


@contextmanager
def serving(desk: Desk, rules: Rules = MANY) -> Iterator[Client]:
    running = server(application(desk, rules), "127.0.0.1", 0)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Client(running.servers[0].sockets[0].getsockname()[1])
    finally:
        running.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def desk(answerer: Answerer, workspace: Workspace) -> Iterator[Desk]:
    with (
        hearing(workspace) as heard,
        reading(answerer.generate, answerer.follow, 0) as readers,
    ):
        generate = Remembering(readers.generate)
        remembering = replace(answerer, generate=generate, follow=readers.follow)
        yield Desk(remembering, heard, Metrics(), threading.Lock())


@pytest.fixture(scope="module")
def client(desk: Desk) -> Iterator[Client]:
    with serving(desk) as opened:
        yield opened


def test_a_head_that_does_not_end_is_hung_up_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "HEAD_S", 0.4)
    with serving(desk) as client:
        for sent in (b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "):
            with socket.create_connection(("127.0.0.1", client.port), timeout=10) as raw:
                raw.sendall(sent)
                assert raw.recv(100) == b""
        with socket.create_connection(("127.0.0.1", client.port), timeout=10) as raw:
            raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert raw.recv(100).startswith(b"HTTP/1.1 200")
            raw.sendall(b"GET /hea")  # the next one on the same connection
            while raw.recv(1000):
                pass


def checked(got: Got, method: str, path: str) -> Got:
    """The answer, which is one that the document names."""
    route = document()["paths"][path][method.lower()]
    assert str(got.status) in route["responses"], (got.status, got.body)
    content = route["responses"][str(got.status)]["content"]
    if "application/json" in content:
        schema = {**content["application/json"]["schema"], "components": document()["components"]}
        jsonschema.validate(got.json, schema)
    return got


def test_the_page_has_all_it_needs_and_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in ("/page.css", "/page.js"):
        assert f'"{path}"'.encode() in page.body
        assert client.get(path).status == 200
    script, text = client.get("/page.js").body.decode(), page.body.decode()
    assert "innerHTML" not in script and "http://" not in script.replace("http://www.w3.org", "")
    assert "http" not in text and "style=" not in text and "onclick" not in text
    # What the script looks for is on the page.
    for name in {each.split('"')[0] for each in script.split('at("')[1:]}:
        assert f'id="{name}"' in text, name


def test_a_request_may_carry_the_conversation(client: Client) -> None:
    def ask(**content: Any) -> Got:
        return checked(client.post("/api/ask", content), "post", "/api/ask")

    first = ask(question="How many orders by status?").json
    turn = {key: first[key] for key in ("question", "sql", "plan")}
    found = ask(question="only from FR", previous=[turn]).json
    assert found["read_as"] == "How many orders by status; then only from FR"
    assert found["status"] == "ok" and "'FR'" in found["sql"]
    wrong_ones: list[Any] = [[1], [{"question": "x"}], [{**turn, "more": ""}], [turn] * 11, {}]
    for wrong in wrong_ones:
        assert ask(question="only from FR", previous=wrong).status == 422


def test_ask_correct_and_look_back(client: Client) -> None:
    asked = checked(client.post("/api/ask", {"question": "How many orders by status?"}),
                    "post", "/api/ask").json  # fmt: skip
    assert asked["status"] == "ok" and asked["chart"]["kind"] == "split"

    def say(**said: Any) -> Got:
        return checked(
            client.post("/api/feedback", {"id": asked["id"], **said}), "post", "/api/feedback"
        )

    sql = "select status, count(*) from orders where amount > 250 group by 1"
    kept = say(sql=sql, person="ada", note="large ones")
    assert (kept.status, kept.json["verdict"], kept.json["person"]) == (200, "wrong", "ada")
    for said, told in (
        ({"verdict": "right"}, "contradicts"),
        ({"sql": "delete from orders"}, "only a SELECT may run"),
        ({"verdict": "meh"}, "'meh'"),
        ({"id": "zz", "verdict": "right"}, "no question has the id"),
    ):
        refused = say(**said)
        assert refused.status == 422 and told in refused.json["error"]
    assert say(verdict="right", replace=True).status == 200
    history = checked(client.get("/api/history?limit=1"), "get", "/api/history").json
    assert history["asked"][0] | {"id": asked["id"], "verdict": "right"} == history["asked"][0]
    known = checked(client.get("/api/known"), "get", "/api/known").json
    assert known["project"] == "shop" and 6 <= len(known["questions"]) <= 12
    counted = checked(client.get("/metrics"), "get", "/metrics").body.decode()
    assert 't2s_feedback_total{verdict="wrong"} 1' in counted.splitlines()
    assert 't2s_requests_total{path="/api/feedback",code="422"} 4' in counted.splitlines()


def test_a_refusal_is_an_answer(client: Client) -> None:
    asked = client.post("/api/ask", {"question": "the weather of our baristas' salaries?"})
    found = checked(asked, "post", "/api/ask").json
    assert (found["status"], found["chart"]) == ("refused", None) and found["nearest"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:80"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"content_length": "70000"}, 413),
        ({"content_length": "-1"}, 400),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_requests_of_others_and_of_other_kinds(
    client: Client, headers: dict[str, str], status: int
) -> None:
    body = json.dumps({"question": "how many orders are there?"}).encode()
    sent = {"content_type": "application/json", **headers}
    assert client.raw("POST", "/api/ask", body, **sent).status == status


def test_a_link_from_elsewhere_shows_the_page(client: Client) -> None:
    followed = client.get("/", sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert followed.status == 200
    assert client.get("/api/history", sec_fetch_site="cross-site").status == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 30_000, 400),
        (b'{"question": "\\ud83d"}', 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"question": 3}', 422),
        (b'{"question": "how many orders?", "sql": "x"}', 422),
        (iter([b'{"question": "', b"x" * 70_000, b'"}']), 413),
    ],
)
def test_bodies_that_are_no_question(client: Client, body: Any, status: int) -> None:
    got = client.raw("POST", "/api/ask", body, content_type="application/json")
    assert checked(got, "post", "/api/ask").status == status


def test_what_is_not_there(client: Client) -> None:
    assert client.get("/../../etc/passwd").status == 404
    assert client.get("/api/ask").status == 405
    for limit in ("0", "501", "x", "-1", "%D9%A3", "9" * 5000):
        got = client.get(f"/api/history?limit={limit}")
        assert got.status == 422


def test_a_token_is_needed_where_one_is_set(desk: Desk) -> None:
    with serving(desk, replace(MANY, token=TOKEN, only_loopback=False)) as guarded:
        assert guarded.get("/healthz").status == guarded.get("/").status == 200
        for path in ("/api/history", "/api/known", "/metrics"):
            assert guarded.get(path).status == 401
            assert guarded.get(path, authorization="Bearer 0123456789abcdeX").status == 401
            assert guarded.get(path, authorization="Bearer é").status == 401
            assert guarded.get(path, authorization=f"Bearer {TOKEN}").status == 200
        refused = guarded.post("/api/ask", {"question": "how many orders?"})
        assert refused.headers["www-authenticate"] == "Bearer"
        # A page elsewhere cannot use a token that it has not.
        foreign = {"authorization": f"Bearer {TOKEN}", "origin": "https://evil.example"}
        assert guarded.get("/api/known", **foreign).status == 403


def test_who_asks_too_often_waits(desk: Desk) -> None:
    with serving(desk, Rules(rate=0.1, burst=2)) as slow:
        codes = [slow.get("/api/history?limit=1").status for _ in range(3)]
        assert codes == [200, 200, 429]
        assert slow.get("/healthz").status == 200


def test_fifty_at_once_and_none_is_lost(client: Client, desk: Desk) -> None:
    questions = [f"how many orders are there in {2020 + n % 10}?" for n in range(50)]
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda each: client.post("/api/ask", {"question": each}), questions))
    assert {each.status for each in found} == {200}
    assert [each.json["question"] for each in found] == questions
    kept = {each.id for each in desk.hearing.keeper.log.asked(100)}
    assert {each.json["id"] for each in found} <= kept


def test_a_browser_that_goes_away_costs_nothing(client: Client, desk: Desk) -> None:
    question = "how many customers are there in DE?"
    body = json.dumps({"question": question}).encode()
    head = "POST /api/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", client.port)) as left:
        left.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    with socket.create_connection(("127.0.0.1", client.port)) as half:
        half.sendall(f"{head}Content-Length: 500\r\n\r\n".encode() + body)
    assert client.post("/api/ask", {"question": question}).status == 200
    log = desk.hearing.keeper.log
    for _ in range(100):
        if sum(each.question == question for each in log.asked(10)) == 2:
            return
        time.sleep(0.05)
    pytest.fail("the question of the one that went away is not in the log")


def test_feedback_waits_for_a_log_that_is_open_elsewhere(client: Client, desk: Desk) -> None:
    asked = client.post("/api/ask", {"question": "how many orders were there in May 2025?"}).json
    path = desk.hearing.keeper.log.path
    code = (
        "import sys, time, duckdb; c = duckdb.connect(sys.argv[1]); print('in', flush=True);"
        " time.sleep(1)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "in\n"
    # Questions do not wait; feedback does, and comes through.
    assert client.post("/api/ask", {"question": "how many orders by month?"}).status == 200
    assert holder.poll() is None
    kept = client.post("/api/feedback", {"id": asked["id"], "verdict": "right"})
    assert kept.status == 200
    holder.communicate()


TEXTS = st.text(max_size=30) | st.sampled_from(["right", "select 1", "orders by status", "\x00"])
VALUES = TEXTS | st.integers() | st.none() | st.booleans() | st.lists(TEXTS, max_size=2)
KEYS = st.sampled_from(["question", "id", "verdict", "sql", "note", "person", "replace", "other"])


@settings(max_examples=30)
@given(st.sampled_from(["/api/ask", "/api/feedback"]), st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_object_gets_an_answer_of_the_document(
    client: Client, path: str, content: dict[str, Any]
) -> None:
    checked(client.post(path, content), "post", path)


@settings(max_examples=12)
@given(TEXTS, st.sampled_from(["", "right", "wrong", "should_refuse"]), TEXTS)
def test_any_feedback_on_a_real_question_is_kept_or_told(
    client: Client, desk: Desk, sql: str, verdict: str, note: str
) -> None:
    (last,) = desk.hearing.keeper.log.asked(1)
    said = {"id": last.id, "verdict": verdict, "sql": sql, "note": note}
    said = {name: value for name, value in said.items() if value}
    checked(client.post("/api/feedback", said), "post", "/api/feedback")
