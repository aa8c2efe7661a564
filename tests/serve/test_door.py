"""Who may come in: rates, tokens and addresses, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.errors import UsageError
from dbt_t2s.web.door import Rates
from dbt_t2s.web.metrics import Metrics
from dbt_t2s.web.server import TOKEN, rules_for


def test_a_client_is_held_to_its_rate_and_others_are_not() -> None:
    now = [0.0]
    rates = Rates(rate=2, burst=3, clock=lambda: now[0])
    assert [rates.allow("a") for _ in range(4)] == [True, True, True, False]
    assert rates.allow("b")
    now[0] = 0.6
    assert [rates.allow("a") for _ in range(2)] == [True, False]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=60))
def test_no_client_ever_gets_more_than_burst_and_rate(steps: list[tuple[str, float]]) -> None:
    now = [0.0]
    rates = Rates(rate=2, burst=3, clock=lambda: now[0])
    allowed = {"a": 0, "b": 0}
    for client, later in steps:
        now[0] += later
        allowed[client] += rates.allow(client)
        assert allowed[client] <= 3 + 2 * now[0] + 1e-6


def test_many_clients_take_a_bounded_memory() -> None:
    rates = Rates(rate=1, burst=1)
    for number in range(10_000):
        rates.allow(str(number))
    assert len(rates._left) <= 4_096


def test_others_come_in_with_a_token_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8"):
        assert rules_for(host, 20).only_loopback
    for host in ("0.0.0.0", "::", "10.0.0.1", "example.org"):
        with pytest.raises(UsageError, match="needs a token"):
            rules_for(host, 20)
    monkeypatch.setenv(TOKEN, "short")
    with pytest.raises(UsageError, match="16 characters"):
        rules_for("127.0.0.1", 20)
    monkeypatch.setenv(TOKEN, "0123456789abcdef")
    assert rules_for("0.0.0.0", 20).token == "0123456789abcdef"
    assert not rules_for("0.0.0.0", 20).only_loopback


def test_what_was_counted_is_shown_as_prometheus_reads_it() -> None:
    metrics = Metrics()
    metrics.add("t2s_questions_total", status="ok")
    metrics.add("t2s_questions_total", status="ok")
    metrics.took(0.3)
    metrics.took(40)
    lines = metrics.text().splitlines()
    assert 't2s_questions_total{status="ok"} 2' in lines
    buckets = [line.rsplit(" ", 1)[1] for line in lines if "_bucket" in line]
    assert buckets == ["0", "0", "0", "1", "1", "1", "1", "1", "1", "2"]
    assert "t2s_latency_seconds_count 2" in lines
    assert all(line.startswith(("#", "t2s_")) for line in lines)
