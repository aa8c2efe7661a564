"""Test conversations as test sets: after the right answers, and after the model's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.dialogues import Dialogue
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.judge.outcomes import Prediction
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.turns import Turn
from dbt_t2s.predicting import prediction_of
from dbt_t2s.serve.ask import Answer, Follow, Generate, continued

# The answer to a question after those of a conversation so far.
Ask = Callable[[str, Sequence[Turn]], Answer]
# The conversation after a turn, of which the model's answer is given.
History = Callable[[TestItem, tuple[Turn, ...], Answer], tuple[Turn, ...]]
Everywhere = Callable[[str], Sequence[Rows | QueryError]]


class Talks:
    """What a model answers in test conversations; each is held when it is first asked for.

    ``timed`` says whether it is asked afresh: what it remembers tells no latency.
    """

    def __init__(
        self,
        dialogues: Sequence[Dialogue],
        ask: Ask,
        history: History,
        *,
        timed: bool = True,
    ) -> None:
        self._timed = timed
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
            found = self._held[dialogue.id][at]
            made.append(prediction_of(found, found.latency_ms if self._timed else None))
        return made

    def _hold(self, dialogue: Dialogue) -> tuple[Answer, ...]:
        before: tuple[Turn, ...] = ()
        answers: list[Answer] = []
        for item in dialogue.turns:
            found = self._ask(item.question, before)
            answers.append(found)
            before = self._history(item, before, found)
        return tuple(answers)


def own_history(item: TestItem, before: tuple[Turn, ...], answer: Answer) -> tuple[Turn, ...]:
    """The conversation as a person has it: with the model's own answers."""
    return continued(before, answer)


class GoldHistory:
    """The right answer as the model would have given it: of its own proposals the one with the
    gold's rows on every instance, whose plan is known. Where there is none, the gold itself, which
    the model reads back into a plan or takes its own answer for."""

    def __init__(
        self, generate: Generate, follow: Follow | None, run: Everywhere, dialect: str
    ) -> None:
        self._generate = generate
        self._follow = follow
        self._run = run
        self._dialect = dialect

    def __call__(
        self, item: TestItem, before: tuple[Turn, ...], answer: Answer
    ) -> tuple[Turn, ...]:
        return (*before, self._turn(item, before)) if item.golds else before

    def _turn(self, item: TestItem, before: Sequence[Turn]) -> Turn:
        whole, candidates = self._propose(item.question, before)
        golds = [(gold, self._run(gold)) for gold in item.golds]
        for candidate in candidates:
            if candidate.sql and candidate.plan and self._is_right(candidate.sql, golds):
                return Turn(whole, candidate.sql, candidate.plan)
        return Turn(whole, item.golds[0])

    def _propose(self, question: str, before: Sequence[Turn]) -> tuple[str, Sequence[Candidate]]:
        """The whole question, and all that the model would answer to it."""
        found = self._follow(question, before) if self._follow and before else Followed("")
        alone = () if found.candidates else self._generate([question])[0]
        return found.read_as or question, found.candidates or alone

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


def items_of(dialogues: Sequence[Dialogue]) -> tuple[TestItem, ...]:
    """Every turn after the first."""
    return tuple(item for dialogue in dialogues for item in dialogue.judged())
