"""What people say instead of a schema's words: general English, the same for every project.

``thesaurus.txt`` holds lines ``term: phrase, phrase``: who *runs* a shop asks for its manager. It
was written for names and values of all trades, from general knowledge, by language-model agents
who saw lists of words and no question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dbt_t2s.query.items import UNSAID
from dbt_t2s.query.text import STOP_WORDS, Word, name_words, stem, words

FILE = Path(__file__).parent / "thesaurus.txt"
Stems = tuple[str, ...]
# Words between those of a phrase that change nothing: "run the shop", "ran our shop".
_PASSED = frozenset("a an the our my your their his her its this that these those any all".split())
_LONGEST = 5
# How likely a phrase's n-th best term is meant: by its place in the term's line, by how many
# terms it is said for.
_LATER, _SPECIFIC = 0.06, 4


def term_of(text: str) -> Stems:
    """The telling words of a name."""
    parts = name_words(text)
    told = [w for w in parts if w not in STOP_WORDS and w not in UNSAID]
    return tuple(stem(w) for w in told or parts)


def runs(count: int) -> Iterator[tuple[int, int]]:
    """First and after the last of every run of ``count`` words."""
    return ((first, after) for first in range(count) for after in range(first + 1, count + 1))


@lru_cache(maxsize=1)
def phrases(path: Path = FILE) -> Mapping[Stems, Mapping[Stems, float]]:
    """The terms that each phrase may be said for, and how surely (0 to 1)."""
    found: dict[Stems, dict[Stems, float]] = {}
    for line in path.read_text("utf-8").splitlines():
        name, _, others = line.partition(":")
        term = term_of(name)
        for rank, other in enumerate(others.split(",")):
            spoken = [w for w in words(other) if w.text not in _PASSED]
            said = tuple(w.stem for w in spoken)
            if said == term or all(w.text in STOP_WORDS for w in spoken):
                continue
            terms = found.setdefault(said, {})
            terms[term] = max(terms.get(term, 0.0), 1 / (1 + _LATER * rank))
    return {
        said: {t: sure * min(1.0, _SPECIFIC / len(terms)) ** 0.5 for t, sure in terms.items()}
        for said, terms in found.items()
    }


@dataclass(frozen=True)
class Heard:
    """Words ``first`` to ``last`` of a question, said for any of ``terms``."""

    said: Stems
    first: int
    last: int
    terms: Mapping[Stems, float]


def heard(spoken: Sequence[Word]) -> Iterator[Heard]:
    """The phrases in a question, longer ones first."""
    known = phrases()
    told = [(at, w.stem) for at, w in enumerate(spoken) if w.text.lower() not in _PASSED]
    for size in range(_LONGEST, 0, -1):
        for begin in range(len(told) - size + 1):
            run = told[begin : begin + size]
            said = tuple(each for _, each in run)
            if terms := known.get(said):
                yield Heard(said, run[0][0], run[-1][0], terms)
