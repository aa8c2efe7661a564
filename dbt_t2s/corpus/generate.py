"""The corpus: chunks drawn by whoever can, merged in order, until coverage is reached."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count

from dbt_t2s.corpus.coverage import EXAMPLES, Ledger
from dbt_t2s.corpus.duplicates import NearIndex
from dbt_t2s.corpus.examples import Corpus, Example
from dbt_t2s.corpus.maker import MOST_REFUSED, Chunk, Maker, Order, normalised
from dbt_t2s.corpus.patterns import Pattern
from dbt_t2s.corpus.splits import combination
from dbt_t2s.duck import Execute
from dbt_t2s.errors import CorpusError
from dbt_t2s.project.schema import ProjectSchema

Progress = Callable[[str, int, int], None]
# Draws chunks, and gives them in the order of their orders; it may draw ahead.
Draw = Callable[[Iterator[Order]], Iterator[Chunk]]

CHUNK = 250
_THINGS = 40  # that one chunk is drawn about
_SPARE = 1  # an example more than is wanted: some will be near-duplicates
_ALIKE = 12  # examples of one combination in one template
_FRESH = 0.04  # of a chunk must be kept, or the project has no more to ask about
_PLENTY = 5_000  # examples of a small project; a large one has more to cover


def generate(
    schema: ProjectSchema,
    patterns: tuple[Pattern, ...],
    execute: Execute,
    *,
    as_of: str = "",
    seed: int = 0,
    max_examples: int | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """The training corpus of one project; CorpusError where nothing can be made of it."""
    maker = Maker(schema, patterns, execute, day_of(schema, as_of), seed)
    draw: Draw = lambda orders: map(maker.chunk, orders)  # noqa: E731
    return collect(schema, patterns, draw, max_examples=max_examples, progress=progress)


def day_of(schema: ProjectSchema, as_of: str) -> date:
    """The day that "today" means."""
    return date.fromisoformat(as_of or schema.as_of) if as_of or schema.as_of else date.today()


def collect(
    schema: ProjectSchema,
    patterns: tuple[Pattern, ...],
    draw: Draw,
    *,
    max_examples: int | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """The corpus from chunks: the same, whoever draws them, in whatever time.

    ``max_examples`` is the ceiling, None for one that nothing to cover is left out for.

    First whatever comes, until it shows nothing new or fills its part of the ceiling; then what is
    bare, by name; then what comes again where neither the ceiling nor an end was reached.
    """
    ledger = Ledger(schema, patterns)
    things = len(ledger.askable())
    each = EXAMPLES + _SPARE
    most = max_examples or max(_PLENTY, (each + 1) * things)
    pile = _Pile(ledger, most, progress)
    if schema.tables:
        # What is bare may need so many; it gets half at most where the ceiling is low.
        last = pile.pour(draw(_coming(0, most)), max(most // 2, most - each * things))
        pile.pour(draw(_bare(ledger.bare())), most)
        if not pile.is_exhausted:
            pile.pour(draw(_coming(last + 1, most)), min(most, max_examples or _PLENTY))
    if not any(example.sql for example in pile.examples):
        raise CorpusError(
            "no training question could be made from this project",
            where=f"{len(schema.tables)} queryable tables",
            hint="dbt build, then dbt-t2s distill --format text to see what was read",
        )
    return Corpus(tuple(pile.examples), ledger.coverage(pile.rejected))


def _coming(first: int, max_examples: int) -> Iterator[Order]:
    """Chunks of whatever comes, without end: whoever draws ahead takes more than are needed."""
    return (Order(number, min(CHUNK, max_examples)) for number in count(first))


def _bare(things: tuple[str, ...]) -> Iterator[Order]:
    """A chunk for each few things that are not asked about enough."""
    for number, first in enumerate(range(0, len(things), _THINGS), 1):
        yield Order(-number, EXAMPLES + _SPARE, things[first : first + _THINGS])


class _Pile:
    """The examples kept so far, and why others were not."""

    def __init__(self, ledger: Ledger, most: int, progress: Progress | None) -> None:
        self.examples: list[Example] = []
        self.ledger = ledger
        self.rejected: Counter[str] = Counter()
        self.is_exhausted = False
        self._most = most
        self._progress = progress
        self._asked: set[str] = set()
        self._alike: Counter[tuple[str, str]] = Counter()
        self._refusals = 0
        self._near: NearIndex | None = None

    def pour(self, chunks: Iterator[Chunk], most: int) -> int:
        """Takes chunks until there are ``most`` examples or no use in more; the last's number."""
        number = -1
        for chunk in chunks:
            number = chunk.order.number
            self._merge(chunk, most)
            if self._progress:
                self._progress("generate", len(self.examples), self._most)
            if len(self.examples) >= most or self.is_exhausted:
                break
        return number

    def _merge(self, chunk: Chunk, most: int) -> None:
        self.rejected.update({each.thing: each.examples for each in chunk.rejected})
        if self._near is None:
            self._near = NearIndex(example.question for example in chunk.examples)
        self.ledger.missed.update(chunk.missed)
        kept = 0
        for example in chunk.examples:
            if len(self.examples) >= most:
                return
            reason = self._refused(example, self._near)
            if reason:
                self.rejected[reason] += 1
                continue
            self._take(example, self._near)
            kept += 1
        if not chunk.order.about:
            self.is_exhausted = kept <= _FRESH * CHUNK or self.ledger.is_saturated()

    def _refused(self, example: Example, near: NearIndex) -> str:
        """Why an example is not kept; empty where it is."""
        if normalised(example.question) in self._asked:
            return "asked before"
        about = example.origin.partition(" ")[2]
        if about and self.ledger.has_enough(about):
            return "drawn for what others have covered since"
        if not example.sql and self._refusals >= 2 + MOST_REFUSED * len(self.examples):
            return "refusals enough"
        if example.sql and self._alike[_alike(example)] >= _ALIKE:
            return f"{example.template}: asked often enough of the same"
        close = [self.examples[at] for at in near.near(example.question)]
        if any(each.plan == example.plan for each in close):
            return "nearly asked before"
        if any(each.split != example.split for each in close):
            return "nearly asked in another split"
        return ""

    def _take(self, example: Example, near: NearIndex) -> None:
        self._asked.add(normalised(example.question))
        self._alike[_alike(example)] += 1
        self._refusals += not example.sql
        near.add(example.question)
        self.ledger.add(example)
        self.examples.append(example)


def _alike(example: Example) -> tuple[str, str]:
    return example.template, combination(json.loads(example.plan))
