"""What a follow-up's words ask to change, and what a plan changes in the one before it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
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
_LESS, _BACK, _ALL, _COUNT, _SHARE = 3, 4, 9, 10, 11  # places among the cues
_SHORT = 3  # words
CUES = len(_CUES) + 1
_WRAPS = ("SHARE", "RATE", "DIV", "RUNNING", "CHANGE")
RETURNS, WRAPS = 4 * 4, 4 * 6 + 2

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


def returns(
    last: Parts, now: Parts, earlier: Sequence[Parts], cues: Sequence[float]
) -> list[float]:
    """How much is there again that was gone, is new, is gone that came last, and is gone that was
    always there: alone, and where words say less, back or all (RETURNS,)."""
    known: Parts = Counter()
    for plan in earlier:
        known |= plan
    more, less = now - last, last - now
    counts = [more & known, more - known, less - known, less & known]
    found = [min(float(each.total()), _MOST) for each in counts]
    return [cue * each for cue in (1.0, cues[_LESS], cues[_BACK], cues[_ALL]) for each in found]


def wraps(last: Parts, now: Parts, cues: Sequence[float]) -> list[float]:
    """Which ways of measuring are new, and whether one is gone: alone, and where words ask for a
    share, a number, or something back (WRAPS,)."""
    before, after = _measured(last), _measured(now)
    found = [float(each in after - before) for each in _WRAPS]
    found.append(float(bool(before - after)))
    limited = any(part.startswith("condition") and "\td:" not in part for part in last)
    crossed = [
        cue * each for cue in (1.0, cues[_SHARE], cues[_COUNT], cues[_BACK]) for each in found
    ]
    return [*crossed, *(cues[_SHARE] * limited * each for each in found[:2])]


def _measured(plan: Parts) -> frozenset[str]:
    said = (token for part in plan if part.startswith("measure") for token in tokens_of(part))
    return frozenset(said) & frozenset(_WRAPS)


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
