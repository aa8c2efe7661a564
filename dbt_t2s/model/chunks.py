"""A follow-up's words that no phrase takes, in runs that name one thing each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dbt_t2s.model.leaning import Phrase, function_of
from dbt_t2s.model.linking import Linked
from dbt_t2s.query.items import Item
from dbt_t2s.query.text import STOP_WORDS, Word, words

# What each channel of ``Linked.word_item`` says of a word and an item: full name, part of a name,
# mention, meaning, description, own table's name.
_TELLS = np.array([1.0, 0.6, 1.0, 0.85, 0.3, 0.0], dtype=np.float32)
_LEAST = 0.5
_MOST = 8
# Words of a follow-up that say how, and name nothing.
FILLERS = frozenset(
    """instead rather also too only just well same now again please thanks ones one else other
    others rest more add added include including exclude excluding excluded without except apart
    remove removed drop leave keep limit limited filter filtered restrict narrow split group grouped
    broken break breakdown down compare compared change switch replace use make look like give
    plus minus besides alongside together next both still already actually i'm im meant mean sorry
    ok okay hmm right great nice cool wait then back result results list table number numbers
    figures figure data view display column columns see question thing things bit ditto do does did
    done go gone going happen happened happens say says said people instead? looks quick quickly
    respectively each every single per them they those these that which where who got able possible
    want wanted need interested interesting know think overview picture level basis way sure
    perhaps maybe really exactly ignoring ignore considering regarding concerning regardless
    thx cheers kindly quickly real fast ones' count counting counts let's it's that's what's
    how's there's don't doesn't didn't aren't isn't weren't wasn't take taking put bring ditch scrap
    omit skip forget leaving down who's whos whats hows i've we've we're they're dont didnt doesnt
    isnt arent wasnt werent""".split()
)
_BY = frozenset("by per each every across split group grouped breakdown".split())
_NOT = frozenset(
    """without excluding exclude excluded except not no minus ignore ignoring remove drop apart
    other than leave out non aren't isn't weren't wasn't don't didn't doesn't haven't hasn't never
    nor but ditch scrap omit skip forget leaving""".split()
)
_ALSO = frozenset("also too plus add include including alongside besides together and".split())
_SHOW = frozenset("show add include including see display with column columns list give".split())
_FOR = frozenset("for in of from at with only just where within on during about to are is".split())
_BACK = 5


@dataclass(frozen=True)
class Chunk:
    """Words ``first`` to ``last`` and what they may name, the likeliest first.

    ``role`` says what stands before them: by, not, also, sort, more, less, for or nothing.
    """

    first: int
    last: int
    role: str
    named: tuple[tuple[Item, float], ...]
    text: str

    @property
    def best(self) -> float:
        return self.named[0][1] if self.named else 0.0


def free_words(text: str, phrases: Sequence[Phrase]) -> tuple[tuple[Word, ...], list[bool]]:
    """The words of the text, and which of them no phrase takes."""
    spoken = words(text)
    free = [not any(p.start <= w.start < p.end for p in phrases) for w in spoken]
    return spoken, free


def chunks(linked: Linked, phrases: Sequence[Phrase]) -> tuple[Chunk, ...]:
    """What the words name that no phrase takes, in order."""
    spoken, free = free_words(linked.text, phrases)
    spoken, free = spoken[: len(linked.states)], free[: len(linked.states)]
    marks = linked.word_item.astype(np.float32)
    tells = (marks * _TELLS).max(-1)
    spans = _spans(spoken, free, linked, marks)
    return tuple(
        Chunk(
            first,
            last,
            _role(spoken, free, first, phrases),
            _named(linked, tells[first : last + 1], spoken[first : last + 1]),
            linked.text[spoken[first].start : spoken[last].end],
        )
        for first, last in spans
    )


def _is_content(word: Word) -> bool:
    lowered = word.text.lower()
    return lowered not in STOP_WORDS and lowered not in FILLERS


def _spans(
    spoken: Sequence[Word], free: Sequence[bool], linked: Linked, marks: np.ndarray
) -> list[tuple[int, int]]:
    """Mentions and full names, the longest first, then what is left of the words in runs."""
    able = list(free)
    found: list[tuple[int, int]] = []
    known = sorted(_known(spoken, able, linked, marks), key=lambda s: (s[0] - s[1], s[0]))
    for first, last in known:
        if all(able[first : last + 1]):
            found.append((first, last))
            able[first : last + 1] = [False] * (last + 1 - first)
    run: list[int] = []
    for at, word in enumerate((*spoken, None)):
        goes_on = word is not None and able[at] and _is_content(word)
        if run and not (goes_on and _is_one(spoken[run[-1]], spoken[at], linked.text)):
            found.append((run[0], run[-1]))
            run = []
        if goes_on:
            run.append(at)
    return sorted(found)


def _is_one(word: Word, after: Word, text: str) -> bool:
    """Whether two words may name one thing: nothing between them, and none says how to sum up."""
    if function_of(word.text) or function_of(after.text):
        return False
    return not re.search(r"[,;:.!?()]", text[word.end : after.start])


def _known(
    spoken: Sequence[Word], able: Sequence[bool], linked: Linked, marks: np.ndarray
) -> set[tuple[int, int]]:
    """Spans that mention something, and those that are the full name of something."""
    found: set[tuple[int, int]] = set()
    for at, item in enumerate(linked.items):
        channel = 2 if item.sort in "vnds" else 0
        least = 0.5 if item.sort == "v" else 0.35 if item.sort in "nds" else 0.9
        on = marks[:, at, channel] >= least
        first = 0
        while first < len(on):
            if not on[first]:
                first += 1
                continue
            last = first
            while last + 1 < len(on) and on[last + 1]:
                last += 1
            told = any(_is_content(spoken[i]) for i in range(first, last + 1))
            if (told or item.sort in "nd") and all(able[first : last + 1]):
                found.add((first, last))
            first = last + 1
    return found


def _named(
    linked: Linked, tells: np.ndarray, spoken: Sequence[Word]
) -> tuple[tuple[Item, float], ...]:
    content = [_is_content(w) for w in spoken]
    if not any(content):  # "one" may be a number, and is no name
        own = [(i, float(s)) for i, s in zip(linked.items, tells.mean(0), strict=True)]
        return tuple(pair for pair in own if pair[0].sort in "nd" and pair[1] >= _LEAST)
    rows = tells[content] if any(content) else tells
    scores = rows.mean(0)
    order = np.argsort(-scores, kind="stable")
    # A whole name wins over others that merely hold it.
    likely = [(linked.items[at], float(scores[at])) for at in order if scores[at] >= _LEAST]
    kept = likely[:_MOST]
    kept += [pair for pair in likely[_MOST:] if pair[0].sort in "vnds"][:_MOST]
    return tuple(kept)


_OLD = re.compile(r"(?:instead of|rather than|in place of|and not|not)(?: the| by| per)?$")
_UNWANTED = re.compile(
    r"^\w+(?: \w+)?(?: \w+)? (?:should(?:n't| not)|don't|do not|must(?:n't| not)) "
    r"(?:be (?:in|part|counted|included)|count|appear|show|belong|matter)|^\w+(?: \w+)? (?:out|"
    r"aside)\b"
)
_MORE = re.compile(
    r"\b(more than|over|above|at least|exceeding|greater than|higher than|minimum|longer than|"
    r"older than|>=?)\s*(?:the\s+)?$",
    re.I,
)
_LESS = re.compile(
    r"\b(less than|under|below|at most|fewer than|lower than|up to|shorter than|younger than|"
    r"maximum|<=?)\s*(?:the\s+)?$",
    re.I,
)


def _role(
    spoken: Sequence[Word], free: Sequence[bool], first: int, phrases: Sequence[Phrase]
) -> str:
    """What the little words before the chunk make of it."""
    start = spoken[first].start
    if any(p.kind == "sort" and 0 <= start - p.end <= 6 for p in phrases):
        return "sort"
    seen = ""
    before = " ".join(w.text.lower() for w in spoken[max(first - 4, 0) : first])
    if _OLD.search(before):
        return "old"
    after = " ".join(w.text.lower() for w in spoken[first : first + 10])
    if _UNWANTED.search(after):
        return "not"
    for at in range(first - 1, max(first - 1 - _BACK, -1), -1):
        word = spoken[at].text.lower()
        if not free[at]:
            break
        if word in _NOT:
            return "not"
        if word in _BY and not seen:
            return "by"
        if (word in _SHOW and seen in ("", "for") and word not in _FOR) or (
            word in _ALSO and not seen and word != "and"
        ):
            seen = "also"
        elif word in _FOR and not seen:
            seen = "for"
        elif word not in STOP_WORDS and word not in FILLERS:
            break
    return seen


def compared(text: str, at: int) -> str:
    """The comparison that ends at character ``at``: GT, GE, LT, LE; empty for none."""
    before = text[:at]
    if found := _MORE.search(before):
        said = found.group(1).lower()
        return "GE" if said in ("at least", "minimum", ">=") else "GT"
    if found := _LESS.search(before):
        said = found.group(1).lower()
        return "LE" if said in ("at most", "up to", "maximum", "<=") else "LT"
    return ""
