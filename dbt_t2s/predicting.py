"""What a model answers to test questions, ahead of the judge: most of them read together."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from dbt_t2s.duck import Execute
from dbt_t2s.errors import ServeError
from dbt_t2s.judge.outcomes import Prediction
from dbt_t2s.judge.validate import Predict
from dbt_t2s.model.freed import give_back
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve.ask import Answer, Follow, Generate, Mend, answer, answer_after, clean

_TIMED = 5  # of so many questions one is timed
_AT_ONCE = 16  # questions; Ctrl-C waits for no more answers than these


class Predicting:
    """Answers of a model that is asked the same again: after test suites that share questions, and
    by the history of a conversation, which looks for the right answer among its proposals.

    Not safe to be called from several threads at a time.
    """

    def __init__(
        self, generate: Generate, follow: Follow | None, mend: Mend | None, execute: Execute
    ) -> None:
        self._generate = generate
        self._follow = follow
        self._mend = mend
        self._execute = execute
        self._candidates: dict[str, Sequence[Candidate]] = {}
        self._followed: dict[tuple[str, tuple[Turn, ...]], Followed] = {}
        self._given: dict[str, Prediction] = {}

    @property
    def follow(self) -> Follow | None:
        """How follow-ups are read; None where the model reads none."""
        return self._remembered if self._follow else None

    def generate(self, questions: Sequence[str]) -> list[Sequence[Candidate]]:
        """Candidates for each question; those not asked before are read together."""
        new = [q for q in dict.fromkeys(questions) if q not in self._candidates]
        if new:
            self._candidates.update(zip(new, self._generate(new), strict=True))
        return [self._candidates[question] for question in questions]

    def predict(self, questions: Sequence[str]) -> list[Prediction]:
        """Answers to questions by themselves; the latency of those read together is not known."""
        new = [q for q in dict.fromkeys(questions) if q not in self._given]
        self.generate([question for question in new if _is_clean(question)])
        for question in new:
            self._given[question] = self._predicted(question, timed=False)
        give_back()
        return [self._given[question] for question in questions]

    def time(self, questions: Sequence[str]) -> None:
        """Answers some of the questions one by one, as in use, which tells how long that takes."""
        for question in questions[::_TIMED]:
            if question not in self._candidates:
                self._given[question] = self._predicted(question, timed=True)

    def ask(self, question: str, before: Sequence[Turn]) -> Answer:
        """The answer to a question in a conversation."""
        return answer_after(question, before, self.generate, self.follow, self._execute, self._mend)

    def _predicted(self, question: str, *, timed: bool) -> Prediction:
        found = answer(question, self.generate, self._execute, self._mend)
        return prediction_of(found, found.latency_ms if timed else None)

    def _remembered(self, question: str, before: Sequence[Turn]) -> Followed:
        assert self._follow is not None
        asked = question, tuple(before)
        if asked not in self._followed:
            self._followed[asked] = self._follow(*asked)
        return self._followed[asked]


class Ahead:
    """Answers to the questions of several test sets, while those before them are judged.

    All are given in one thread, in the order in which they were planned. As a context manager it
    ends with what is being answered then.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def plan(self, predict: Predict, questions: Sequence[str]) -> Predict:
        """``predict`` for these questions, which are answered from now on."""
        coming: dict[str, tuple[Future[list[Prediction]], int]] = {}
        for start in range(0, len(questions), _AT_ONCE):
            part = questions[start : start + _AT_ONCE]
            given = self._pool.submit(predict, part)
            coming.update((question, (given, at)) for at, question in enumerate(part))

        def predicted(asked: Sequence[str]) -> list[Prediction]:
            found = [coming[question] for question in asked]
            return [given.result()[at] for given, at in found]

        return predicted


def prediction_of(given: Answer, latency_ms: float | None) -> Prediction:
    """An answer as it is judged."""
    return Prediction(given.status, given.sql, given.confidence, latency_ms, given.reason)


def _is_clean(question: str) -> bool:
    """Whether the question is read as it stands."""
    try:
        return clean(question) == question
    except ServeError:
        return False
