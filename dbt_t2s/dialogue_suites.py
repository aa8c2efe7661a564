"""Test conversations as test sets: follow-ups after the right answers, and after the model's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.dialogues import Dialogue
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.judge.outcomes import Prediction
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.model.generate import Candidate
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve.ask import Answer, turn_of

# The answer to a question after those of a conversation so far.
Ask = Callable[[str, Sequence[Turn]], Answer]
# All that the model would answer to it, the likeliest first, with the whole question.
Propose = Callable[[str, Sequence[Turn]], tuple[str, Sequence[Candidate]]]
Everywhere = Callable[[str], Sequence[Rows | QueryError]]


class Talks:
    """What a model answers in test conversations; each is held when it is first asked for."""

    def __init__(
        self,
        dialogues: Sequence[Dialogue],
        ask: Ask,
        history: Callable[[TestItem, Sequence[Turn], Answer], Turn | None],
    ) -> None:
        self._of = {
            item.question: (dialogue, at)
            for dialogue in dialogues
            for at, item in enumerate(dialogue.judged(), 1)
        }
        self._ask = ask
        self._history = history
        self._held: dict[str, tuple[Answer, ...]] = {}

    def predict(self, questions: Sequence[str]) -> list[Prediction]:
        """Predictions for questions of ``Dialogue.judged``."""
        made = []
        for question in questions:
            dialogue, at = self._of[question]
            if dialogue.id not in self._held:
                self._held[dialogue.id] = self._hold(dialogue)
            made.append(_prediction(self._held[dialogue.id][at]))
        return made

    def _hold(self, dialogue: Dialogue) -> tuple[Answer, ...]:
        before: list[Turn] = []
        answers: list[Answer] = []
        for item in dialogue.turns:
            found = self._ask(item.question, tuple(before))
            answers.append(found)
            turn = self._history(item, tuple(before), found)
            if turn is not None:
                before.append(turn)
        return tuple(answers)


def own_history(item: TestItem, before: Sequence[Turn], answer: Answer) -> Turn | None:
    """The model's own answer; a refusal leaves the conversation where it was."""
    return turn_of(answer) if answer.status == "ok" else None


class GoldHistory:
    """The right answer as the model would have given it: of its own proposals the one with the
    gold's rows on every instance, whose plan is known. Where there is none, the gold itself, which
    the model reads back into a plan or takes its own answer for."""

    def __init__(self, propose: Propose, run: Everywhere, dialect: str) -> None:
        self._propose = propose
        self._run = run
        self._dialect = dialect
        self.found = self.missed = 0

    def __call__(self, item: TestItem, before: Sequence[Turn], answer: Answer) -> Turn | None:
        if not item.golds:
            return None
        whole, candidates = self._propose(item.question, before)
        golds = [(gold, self._run(gold)) for gold in item.golds]
        for candidate in candidates:
            if candidate.sql and candidate.plan and self._is_right(candidate.sql, golds):
                self.found += 1
                return Turn(whole, candidate.sql, candidate.plan)
        self.missed += 1
        return Turn(whole, item.golds[0])

    def _is_right(self, sql: str, golds: Sequence[tuple[str, Sequence[Rows | QueryError]]]) -> bool:
        results = self._run(sql)
        return any(
            all(
                isinstance(want, Rows)
                and isinstance(got, Rows)
                and compare(
                    want,
                    got,
                    is_ordered(gold, self._dialect),
                    sort_keys(gold, self._dialect),
                ).equal
                for want, got in zip(wanted, results, strict=True)
            )
            for gold, wanted in golds
        )


def _prediction(given: Answer) -> Prediction:
    return Prediction(given.status, given.sql, given.confidence, given.latency_ms, given.reason)


def items_of(dialogues: Sequence[Dialogue]) -> tuple[TestItem, ...]:
    """Every turn after the first."""
    return tuple(item for dialogue in dialogues for item in dialogue.judged())
