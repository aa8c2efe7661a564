"""What the routes do, without HTTP: answers, feedback, history, and what can be asked."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from dbt_t2s.answers import Answerer, answering
from dbt_t2s.hearing import Hearing, hearing
from dbt_t2s.model.generate import Candidate
from dbt_t2s.model.record import read_record
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve.ask import Generate
from dbt_t2s.serve.chart import chart_of
from dbt_t2s.serve.feedback import statement_of
from dbt_t2s.web.metrics import Metrics
from dbt_t2s.web.readers import readers_for, reading
from dbt_t2s.workspace import Workspace

_REMEMBERED = 512
_WARM = 24  # questions: two seconds before the first is answered, and none slow after


class Remembering:
    """Candidates of questions that were asked before: the model says the same again."""

    def __init__(self, generate: Generate) -> None:
        self._generate = generate
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, date], Sequence[Candidate]] = OrderedDict()

    def __call__(self, questions: Sequence[str]) -> list[Sequence[Candidate]]:
        today = date.today()  # "last month" is another one tomorrow
        return [self._one(question, today) for question in questions]

    def _one(self, question: str, today: date) -> Sequence[Candidate]:
        key = (question, today)
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
                return found
        found = next(iter(self._generate([question])), ())
        with self._lock:
            self._known[key] = found
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found


@dataclass(frozen=True)
class Desk:
    """The project behind the routes; ``desk`` opens one."""

    answerer: Answerer
    hearing: Hearing
    metrics: Metrics
    weighing: threading.Lock

    def ask(self, question: str, before: Sequence[Turn] = ()) -> dict[str, Any]:
        """The answer as ``ask --json`` gives it, and how it is drawn."""
        self.metrics.add("t2s_in_flight", 1)
        try:
            found = self.answerer.ask(question, before)
        finally:
            self.metrics.add("t2s_in_flight", -1)
        self.metrics.add("t2s_questions_total", status=found.status)
        self.metrics.add("t2s_execution_seconds_total", found.execution_ms / 1000)
        self.metrics.took(found.latency_ms / 1000)
        chart = chart_of(found.columns, found.rows)
        return {**found.as_dict(), "chart": None if chart is None else chart.__dict__}

    def say(self, content: dict[str, Any], person: str, instead: bool) -> dict[str, Any]:
        """Keeps what somebody says of an answer; T2SError where it cannot be."""
        statement = statement_of(content, "the request")
        with self.weighing:
            (kept,) = self.hearing.hear((statement,), person=person, instead=instead)
        self.metrics.add("t2s_feedback_total", verdict=kept.verdict)
        return dict(kept.__dict__)

    def history(self, limit: int) -> dict[str, Any]:
        """The last questions with what was said of them, the newest first."""
        log = self.hearing.keeper.log
        verdicts: dict[str, str] = {}
        for said in log.said():
            verdicts.setdefault(said.log_id, said.verdict)
        asked = log.asked(limit)
        return {"asked": [{**e.__dict__, "verdict": verdicts.get(e.id, "")} for e in asked]}

    def known(self) -> dict[str, Any]:
        """What can be asked about, and some questions that have answers."""
        schema, explainer = self.answerer.schema, self.answerer.explainer
        return {
            "project": schema.project,
            "metrics": [
                {"name": m.name, "label": m.label or m.name, "description": m.description}
                for m in schema.metrics
            ],
            "tables": [
                {
                    "name": t.name,
                    "description": t.description,
                    "columns": [c.name for c in t.columns],
                }
                for t in schema.tables
            ],
            "questions": list(explainer.nearest.find("", 12)) if explainer else [],
        }


@contextmanager
def desk(workspace: Workspace) -> Iterator[Desk]:
    """Loads the model once, and opens all that its answers and corrections run on."""
    with answering(workspace) as opened, hearing(workspace) as heard:
        count = readers_for(read_record(workspace.model_dir).kind)
        warm = opened.explainer.nearest.find("", _WARM) if count and opened.explainer else ()
        with reading(opened.generate, opened.follow, count, warm) as readers:
            follow = readers.follow if opened.follow else None
            answerer = replace(opened, generate=Remembering(readers.generate), follow=follow)
            yield Desk(answerer, heard, Metrics(), threading.Lock())
