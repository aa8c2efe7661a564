"""A condition in words, and what all kinds of conditions are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.query.plan import Pred


@dataclass(frozen=True)
class Said:
    """A condition in words: ``before`` the noun (``cancelled orders``) or ``after`` it.

    ``kept`` are words that no typing slip may touch, ``about`` the column it is about.
    """

    pred: Pred
    before: str = ""
    after: str = ""
    kept: tuple[str, ...] = ()
    about: str = ""
    kind: str = "filter"
    also: tuple[Pred, ...] = ()


class ConditionRoom:
    """The vocabulary, the day and the fiscal year that conditions are drawn with."""

    def __init__(self, vocabulary: Vocabulary, today: date) -> None:
        self.words = vocabulary
        self.today = today
        self.fiscal = vocabulary.schema.fiscal_year
