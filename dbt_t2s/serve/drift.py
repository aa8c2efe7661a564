"""How what people ask parts from what the corpus taught: words, things, query types and shapes.

The distance is the Jensen-Shannon divergence (Lin 1991) between the words of people's questions
and those of the corpus, in bits: 0 for the same words as often, 1 for none in common. Few questions
are always far from many, so beside it stands how far as many questions of the corpus are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from dbt_t2s.corpus.coverage import EXAMPLES as ENOUGH
from dbt_t2s.corpus.variety import divergence
from dbt_t2s.judge.suite import normal
from dbt_t2s.query.text import STOP_WORDS, words
from dbt_t2s.serve.cases import Case
from dbt_t2s.serve.figures import begin, grain_of
from dbt_t2s.serve.readings import Read

# Fewer questions say too little about words.
LEAST = 20
# So much more often than in the corpus is another use of the thing.
_OFTENER = 5.0
_DRAWS = 4
# What fewer different questions have is chance.
_FEWEST = 3
_SHOWN = 12
_EXAMPLES = 2


@dataclass(frozen=True)
class Reference:
    """What the corpus has: its questions' stems, and how many examples have each thing.

    ``types`` and ``shapes`` count examples that have an answer, ``things`` those that use a table
    (``t:orders``), a column or a metric; ``known`` are the stems of the project's own names and
    values.
    """

    questions: tuple[frozenset[str], ...]
    types: Counter[str]
    shapes: Counter[str]
    things: Mapping[str, int]
    known: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Unlike:
    """What people use and the corpus has rarely, or much less often.

    ``people`` counts different questions that have it, ``without`` those of them that got no
    right answer as far as is known (refused, failed, or wrong as people say), ``corpus`` the
    examples; ``share`` and ``corpus_share`` are of all questions and of all examples.
    """

    name: str
    people: int
    share: float
    corpus: int
    corpus_share: float
    without: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Distance:
    """How far a period's questions are from the corpus; ``expected``: as many of the corpus's own.

    ``new_words`` is the share of questions with a word that no example has.
    """

    start: date
    questions: int
    distance: float
    expected: float
    new_words: float


@dataclass(frozen=True)
class Drift:
    """All that parts; the lists begin with what most questions have.

    ``types`` are (query type, people's share, the corpus's share) of what has an answer.
    """

    questions: int
    examples: int
    words: tuple[Unlike, ...]
    things: tuple[Unlike, ...]
    shapes: tuple[Unlike, ...]
    types: tuple[tuple[str, float, float], ...]
    over_time: tuple[Distance, ...]


def drift(cases: Sequence[Case], read: Mapping[str, Read], reference: Reference) -> Drift:
    """Compares the questions, which are in the order of time, with the corpus."""
    different = _different(cases)
    answered = [case for case in different if case.meant in read]
    corpus = Counter(word for stems in reference.questions for word in stems)
    asked = [(case, _new(case, reference.known)) for case in different]
    of_sql = sum(reference.types.values())
    type_counts = Counter(read[case.meant].type for case in answered)
    return Drift(
        questions=len(different),
        examples=len(reference.questions),
        words=_as_said(_unlike(asked, corpus, len(reference.questions)), different),
        things=_unlike(
            [(case, read[case.meant].things) for case in answered], reference.things, of_sql
        ),
        shapes=_unlike(
            [(case, {read[case.meant].shape}) for case in answered], reference.shapes, of_sql
        ),
        types=_types(type_counts, reference.types),
        over_time=_over_time(cases, corpus, reference),
    )


def stems_of(question: str) -> frozenset[str]:
    """The stems of the words that say what a question is about, without numbers."""
    return frozenset(
        word.stem
        for word in words(question)
        if word.text.lower() not in STOP_WORDS and not any(map(str.isdigit, word.text))
    )


def _different(cases: Iterable[Case]) -> list[Case]:
    """The last asking of each question: who asks again asks nothing new."""
    return list({normal(case.asked.question): case for case in cases}.values())


def _new(case: Case, known: frozenset[str]) -> frozenset[str]:
    return stems_of(case.asked.question) - known


def _unlike(
    found: Sequence[tuple[Case, Iterable[str]]], corpus: Mapping[str, int], examples: int
) -> tuple[Unlike, ...]:
    having: dict[str, list[Case]] = {}
    for case, names in found:
        for name in names:
            having.setdefault(name, []).append(case)
    unlike = []
    for name, cases in having.items():
        there, share = corpus.get(name, 0), len(cases) / len(found)
        corpus_share = there / examples if examples else 0.0
        often = len(found) >= LEAST and share > _OFTENER * corpus_share
        if len(cases) >= _FEWEST and (there < ENOUGH or often):
            unlike.append(
                Unlike(
                    name, len(cases), share, there, corpus_share,
                    sum(case.asked.status != "ok" or case.right is False for case in cases),
                    tuple(case.asked.question for case in cases[-_EXAMPLES:]),
                )
            )  # fmt: skip
    unlike.sort(key=lambda each: (-each.people, each.name))
    return tuple(unlike[:_SHOWN])


def _as_said(found: Sequence[Unlike], cases: Iterable[Case]) -> tuple[Unlike, ...]:
    """Stems as people write them."""
    spoken: dict[str, Counter[str]] = {}
    for case in cases:
        for word in words(case.asked.question):
            spoken.setdefault(word.stem, Counter())[word.text.lower()] += 1
    return tuple(replace(each, name=spoken[each.name].most_common(1)[0][0]) for each in found)


def _types(people: Counter[str], corpus: Counter[str]) -> tuple[tuple[str, float, float], ...]:
    def share(counts: Counter[str], name: str) -> float:
        return counts[name] / counts.total() if counts.total() else 0.0

    return tuple((n, share(people, n), share(corpus, n)) for n in sorted({*people, *corpus}))


def _over_time(
    cases: Sequence[Case], corpus: Counter[str], reference: Reference
) -> tuple[Distance, ...]:
    if not cases or not reference.questions:
        return ()
    grain = grain_of(cases[0].day, cases[-1].day)
    groups: dict[date, list[Case]] = {}
    for case in cases:
        groups.setdefault(begin(case.day, grain), []).append(case)
    expected = _Expected(corpus, reference.questions)
    found = []
    for start, held in groups.items():
        asked = [stems_of(case.asked.question) for case in _different(held)]
        if len(asked) >= LEAST:
            new = [any(w not in corpus and w not in reference.known for w in s) for s in asked]
            found.append(
                Distance(
                    start,
                    len(asked),
                    divergence(_counted(asked), corpus),
                    expected(len(asked)),
                    sum(new) / len(new),
                )
            )
    return tuple(found)


class _Expected:
    """The mean distance of so many questions drawn from the corpus itself; the same each time."""

    def __init__(self, corpus: Counter[str], questions: Sequence[frozenset[str]]) -> None:
        self._corpus, self._questions = corpus, questions
        self._known: dict[int, float] = {}

    def __call__(self, count: int) -> float:
        if count not in self._known:
            rng = Random(0)
            drawn = [rng.choices(self._questions, k=count) for _ in range(_DRAWS)]
            found = [divergence(_counted(each), self._corpus) for each in drawn]
            self._known[count] = sum(found) / len(found)
        return self._known[count]


def _counted(asked: Iterable[frozenset[str]]) -> Counter[str]:
    return Counter(word for stems in asked for word in stems)
