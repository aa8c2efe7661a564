"""The words around a simpler question, and numbers as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dbt_t2s.query.plan import Dim, Measure, Plan, is_measure

_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
            "twelve")  # fmt: skip
NUMBER = rf"(?:\d{{1,3}}|{'|'.join(_NUMBERS)}|twenty|thirty|fifty|hundred)"
_ROUND = {"twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100}
PERCENT = r"(?:%|percent(?:age)?|per\s+cent)"


@dataclass(frozen=True)
class Frame:
    """``core`` is the question inside; ``around`` makes the plan of the whole of that of the core,
    None where it cannot. ``words`` (lower case) are those around that a schema may have items for:
    "at the weekend" may be a flag. Where ``beside`` is a second question, ``of`` makes the plan of
    both answers. ``surely`` asks for a whole of the best plan of the core, no other will do; the
    frame ``yields`` where the network is surer of the question as it stands."""

    core: str
    around: Callable[[Plan], Plan | None] = field(compare=False)
    words: tuple[str, ...] = ()
    beside: str = ""
    of: Callable[[Plan, Plan], Plan | None] | None = field(default=None, compare=False)
    surely: bool = False
    yields: bool = False

    def made(self, plan: Plan, beside: Plan | None) -> Plan | None:
        """The plan of the whole, of that of the core and, where there is one, of the other."""
        return self.of(plan, beside) if self.of and beside else self.around(plan)

    def is_said_by(self, tokens: Sequence[str]) -> bool:
        """Whether a plan has an item that is called as the words around are."""
        named = [token.lower() for token in tokens if ":" in token and token[:2] != "s:"]
        return any(word in token for token in named for word in self.words)


def number_of(text: str) -> int:
    """A number in digits or in a word."""
    word = text.lower()
    if word.isdigit():
        return int(word)
    return _ROUND.get(word) or _NUMBERS.index(word) + 2


def the_measure(plan: Plan) -> Measure | None:
    """What the plan measures, where that is one thing."""
    found = [each for each in plan.select if not isinstance(each, Dim)]
    return found[0] if len(found) == 1 and is_measure(found[0]) else None


def tidy(text: str) -> str:
    """The words with single spaces between them, and no mark at either end."""
    return re.sub(r"\s+", " ", text).strip(" ,;:-–—?.!")
