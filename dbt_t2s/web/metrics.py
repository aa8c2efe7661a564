"""What the server counts, in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

import threading
from collections.abc import Iterator

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_HELP = {
    "t2s_requests_total": "Requests by route and status code.",
    "t2s_questions_total": "Questions by what they got.",
    "t2s_feedback_total": "What people said of answers.",
    "t2s_execution_seconds_total": "Time that SQL took to run.",
    "t2s_in_flight": "Questions being answered.",
}
_LATENCY = "t2s_latency_seconds"


class Metrics:
    """Counters of one process; safe with several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], float] = {}
        self._within = [0] * len(BUCKETS)
        self._latency = 0.0
        self._answers = 0

    def add(self, name: str, by: float = 1.0, **labels: str) -> None:
        """Adds to a counter, or to a gauge; labels are words of our own."""
        shown = ",".join(f'{key}="{value}"' for key, value in labels.items())
        with self._lock:
            key = (name, f"{{{shown}}}" if shown else "")
            self._counts[key] = self._counts.get(key, 0.0) + by

    def took(self, seconds: float) -> None:
        """One answer's latency."""
        with self._lock:
            self._answers += 1
            self._latency += seconds
            for at, limit in enumerate(BUCKETS):
                self._within[at] += seconds <= limit

    def text(self) -> str:
        """Everything counted so far."""
        with self._lock:
            return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        for name, meaning in _HELP.items():
            yield f"# HELP {name} {meaning}"
            yield f"# TYPE {name} {'gauge' if name == 't2s_in_flight' else 'counter'}"
            of_name = {labels: n for (each, labels), n in self._counts.items() if each == name}
            for labels, count in sorted(of_name.items()):
                yield f"{name}{labels} {count:g}"
        yield f"# HELP {_LATENCY} From a question to its answer."
        yield f"# TYPE {_LATENCY} histogram"
        for limit, count in zip(BUCKETS, self._within, strict=True):
            yield f'{_LATENCY}_bucket{{le="{limit}"}} {count}'
        yield f'{_LATENCY}_bucket{{le="+Inf"}} {self._answers}'
        yield f"{_LATENCY}_sum {self._latency:g}"
        yield f"{_LATENCY}_count {self._answers}"
