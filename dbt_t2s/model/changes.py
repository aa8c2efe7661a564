"""What a follow-up's words ask to change, and what a plan changes in the one before it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Dim, Plan

_SECTIONS = ("group", "measure", "condition", "order", "limit")
CHANGES = 2 * len(_SECTIONS) + 1
_MOST = 2.0  # changes of one sort that are counted


def _words(text: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{text})\b", re.I)


# Each goes with some changes and not with others; which, the weights say.
_CUES = (
    # something in the place of another
    _words(r"instead|rather|replac\w+|swap\w*|switch\w*|change|not .* but|i mean(?:t)?|actually"),
    _words(r"(?:what|how) about|same|and for|ditto|now for"),
    # something beside what is there
    _words(
        r"also|too|as well|add\w*|plus|alongside|besides?|next to|together with|in addition|"
        r"along with|with (?:the|their|its)|put .* (?:on|next)"
    ),
    # less than before
    _words(
        r"drop|remov\w+|without|forget|no need|leave .* (?:out|off)|take .* (?:out|off|away)|"
        r"do(?:es)?n[’']?t|ignor\w+|scrap|lose|never mind|skip|not needed|get rid|no longer"
    ),
    _words(r"back|undo|again|as it was|before|previous\w*|revert|original\w*|earlier|had"),
    _words(
        r"only|just|alone|nothing but|restrict\w*|limit\w*|narrow\w*|those|of (?:these|them|which)"
    ),
    # groups and orders
    _words(
        r"by|per|each|every|split|break\w*|broken|across|group\w*|which|where|who|whose|"
        r"one (?:line|row)"
    ),
    _words(
        r"top|best\w*|high(?:er|est)|most|bigg(?:er|est)|larg(?:er|est)|worst|low(?:er|est)|least|"
        r"small(?:er|est)|fewest|first|last|bottom|latest|newest|oldest|longest|shortest"
    ),
    _words(r"sort\w*|order|ordered|rank\w*|alphabetical\w*|descending|ascending"),
    _words(r"all|everyone|everything|whole|overall|totals?|altogether|any|company|in sum"),
    # what is measured
    _words(r"how many|how often|numbers?|count\w*|nr"),
    _words(r"shares?|percent\w*|proportions?|ratios?|fractions?|pct|rate"),
    _words(r"averages?|avg|mean|medians?|typical\w*"),
    _words(r"lists?|names?|details?|with|show|when|who|what"),
    # what is denied
    _words(r"not|no|except|exclud\w+|other than|but|never|without|minus"),
    re.compile(r"^\W*(?:no|nope|sorry|wait|hmm?|er+|oops|actually)\b", re.I),
)
_SHORT = 3  # words
CUES = len(_CUES) + 1

Parts = Counter[str]


def cued(question: str) -> list[float]:
    """For each cue (CUES,) 1 where the question has it; the last says that it is short."""
    found = [float(cue.search(question) is not None) for cue in _CUES]
    return [*found, float(len(question.split()) <= _SHORT)]


def changes(last: Parts, now: Parts) -> list[float]:
    """How many parts of each section are new and are gone, and 1 where none is (CHANGES,)."""
    found = []
    for section in _SECTIONS:
        for more, less in ((now, last), (last, now)):
            count = sum(part.startswith(section) for part in more - less)
            found.append(min(float(count), _MOST))
    return [*found, float(now == last)]


def parts(tokens: tuple[str, ...]) -> Parts:
    """The parts of a plan: each a section and tokens, divided by tabs."""
    return Counter(_parts(tokens))


def tokens_of(part: str) -> list[str]:
    return part.split("\t")[1:]


@lru_cache(maxsize=1024)
def _parts(tokens: tuple[str, ...]) -> tuple[str, ...]:
    plan = from_tokens(tokens)
    return () if plan is None else tuple(_named(plan))


def _named(plan: Plan) -> Iterator[str]:
    for each in plan.select:
        yield _part("group" if isinstance(each, Dim) else "measure", Plan((each,)))
    for pred in (*plan.where, *plan.having):
        yield _part("condition", Plan((), (pred,)))
    if plan.order:
        yield _part("order", Plan((), order=plan.order))
    if plan.limit is not None:
        per = to_tokens(Plan((plan.per,))) if plan.per else ()
        yield "\t".join(("limit", plan.limit, *per))


def _part(section: str, plan: Plan) -> str:
    return "\t".join((section, *to_tokens(plan)))
