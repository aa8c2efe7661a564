"""What the corpus covers: how often each thing is asked about, how differently, and what is bare.

Coverage is the budget's master. Drawing goes on while examples still show things asked about in a
way that is new, then what is bare is drawn for by name, until each thing that can be asked about is
in ``EXAMPLES`` examples and ``WORDINGS`` wordings.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

from dbt_t2s.corpus.bare import why_bare, why_not
from dbt_t2s.corpus.examples import Corpus, Counted, Coverage, Example
from dbt_t2s.corpus.mined import parts_of_sql, templates_of
from dbt_t2s.corpus.patterns import Pattern
from dbt_t2s.corpus.things import OPERATORS, Things, edge
from dbt_t2s.corpus.unasked_joins import is_final
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.project.schema import Issue, Level, ProjectSchema
from dbt_t2s.query.text import STOP_WORDS, name_words, stem

EXAMPLES = 3
WORDINGS = 2
# New ways to ask are told by the last so many examples, and are rare below this share.
_LAST = 500
_RARE = 0.15
_OFTEN = 2  # examples of one thing in one template, before another is nothing new


class Ledger:
    """Counts a growing corpus."""

    def __init__(self, schema: ProjectSchema, patterns: Iterable[Pattern] = ()) -> None:
        self.schema = schema
        self._templates = templates_of(patterns)
        self._words = Vocabulary(schema)
        self._things = Things(schema, self._words)
        self._known = _known_stems(schema)
        self._examples: dict[str, int] = Counter()
        self._wordings: dict[str, set[str]] = defaultdict(set)
        self._ways: Counter[tuple[str, str]] = Counter()
        self._telling: deque[bool] = deque(maxlen=_LAST)
        self.count = 0
        self.missed: dict[str, str] = {}  # things that drawing gave nothing for, and why
        self.was_full = False  # before all that is bare was drawn for

    def add(self, example: Example) -> None:
        tokens = json.loads(example.plan)
        wording = self.wording(example.question)
        found = set(self._things.of(tokens, example.sql)) if example.sql else set()
        ways = {(example.template, thing) for thing in found}
        if example.sql:
            self._telling.append(any(self._ways[way] < _OFTEN for way in ways))
        self._ways.update(ways)
        if example.sql and self._templates:
            parts = parts_of_sql(example.sql)
            found |= {f"p:{name}" for name, needed in self._templates.items() if needed <= parts}
        found |= {f"o:{token}" for token in tokens if token in OPERATORS}
        found |= {f"k:{example.type}", f"h:{example.phase}", f"s:{example.template}"}
        for thing in found:
            self._examples[thing] += 1
            self._wordings[thing].add(wording)
        self.count += 1

    def wording(self, question: str) -> str:
        """The question without the project's names and values and without numbers."""
        words = (stem(word) for word in name_words(question))
        return " ".join("_" if w in self._known or w.isdigit() else w for w in words)

    def is_saturated(self) -> bool:
        """Whether new examples have become repetitions of what is there."""
        return len(self._telling) == _LAST and sum(self._telling) < _RARE * _LAST

    def has_enough(self, thing: str) -> bool:
        return self._examples[thing] >= EXAMPLES and len(self._wordings[thing]) >= WORDINGS

    def missing(self, thing: str) -> int:
        """How many examples to draw so that ``thing`` has enough of them."""
        short = EXAMPLES - self._examples[thing]
        return max(short, int(len(self._wordings[thing]) < WORDINGS), 0)

    def bare(self) -> tuple[str, ...]:
        """What can be asked about and is not asked about enough; what nothing asks about first."""
        found = [t for t in self.askable() if not self.has_enough(t)]
        return tuple(sorted(found, key=lambda thing: self._examples[thing]))

    def askable(self) -> tuple[str, ...]:
        return tuple(thing for thing in self._all_things() if not self._barred(thing))

    def _all_things(self) -> Iterable[str]:
        yield from (f"m:{metric.name}" for metric in self.schema.metrics)
        yield from (f"r:{rule.name}" for rule in self.schema.askable_rules)
        yield from self._edges()
        for table in self.schema.tables:
            yield f"t:{table.name}"
            yield from (f"c:{table.name}.{column.name}" for column in table.columns)

    def _edges(self) -> Iterable[str]:
        return dict.fromkeys(edge(join) for join in self.schema.joins if join.proven)

    def _barred(self, thing: str) -> str:
        """Why no question can be about ``thing``; empty where one can."""
        if thing[:2] == "j:":
            failed = self.missed.get(thing, "")
            return failed if is_final(failed) else ""
        if thing[:2] != "c:":
            return ""
        table, _, column = thing[2:].partition(".")
        return why_not(self._words.tables[table].column(column), self._is_display(table, column))

    def _is_display(self, table: str, column: str) -> bool:
        display = self._words.display(self._words.tables[table])
        return display is not None and display.name == column

    # ---- what is written

    def coverage(self, rejected: Mapping[str, int]) -> Coverage:
        askable = self.askable()
        enough = sum(map(self.has_enough, askable))
        return Coverage(
            examples=self.count,
            by_phase=self._sorted("h:"),
            by_type=self._sorted("k:"),
            tables=self._counted(f"t:{t.name}" for t in self.schema.tables),
            columns=self._counted(
                f"c:{t.name}.{c.name}" for t in self.schema.tables for c in t.columns
            ),
            metrics=self._counted(f"m:{m.name}" for m in self.schema.metrics),
            rules=self._counted(f"r:{r.name}" for r in self.schema.askable_rules),
            templates=self._sorted("s:"),
            rejected=tuple(Counted(k, n, 0) for k, n in sorted(rejected.items())),
            joins=self._counted(self._edges()),
            operators=self._counted(f"o:{each}" for each in OPERATORS),
            patterns=self._counted(f"p:{each}" for each in self._templates),
            complete=round(enough / len(askable), 4) if askable else 1.0,
            issues=tuple(self._issues(askable)),
        )

    def _counted(self, things: Iterable[str]) -> tuple[Counted, ...]:
        return tuple(
            Counted(thing[2:], self._examples[thing], len(self._wordings[thing]))
            for thing in things
        )

    def _sorted(self, sort: str) -> tuple[Counted, ...]:
        return self._counted(sorted(t for t in self._examples if t[:2] == sort))

    def _issues(self, askable: Sequence[str]) -> Iterable[Issue]:
        for thing in self._all_things():
            barred = self._barred(thing)
            if barred and not self._examples[thing]:
                yield Issue(Level.INFO, thing[2:], f"not asked about: {barred}")
        for thing in askable:
            if not self._examples[thing]:
                message, hint = self._why_bare(thing)
                yield Issue(Level.WARNING, thing[2:], f"no question asks about it: {message}", hint)
            elif not self.has_enough(thing) and not self.was_full:
                message = f"only {self._examples[thing]} questions ask about it"
                yield Issue(Level.INFO, thing[2:], message)

    def _why_bare(self, thing: str) -> tuple[str, str]:
        if self.was_full and thing not in self.missed:
            return "max_examples leaves no room", "raise max_examples or leave it out"
        return why_bare(self.schema, self._words, thing, self.missed.get(thing, ""))


def recounted(
    examples: tuple[Example, ...],
    schema: ProjectSchema,
    patterns: Iterable[Pattern],
    rejected: Iterable[Counted],
) -> Corpus:
    """The corpus of these examples, counted anew."""
    ledger = Ledger(schema, patterns)
    for example in examples:
        ledger.add(example)
    return Corpus(examples, ledger.coverage({each.thing: each.examples for each in rejected}))


def _known_stems(schema: ProjectSchema) -> frozenset[str]:
    """The stems of all words by which the project calls its things and their values."""
    names: list[str] = []
    for table in schema.tables:
        names += (table.name, table.label, table.entity, *table.synonyms)
        for column in table.columns:
            names += (column.name, column.label, *column.synonyms, *column.values)
    for metric in schema.metrics:
        names += (metric.name, metric.label, *metric.synonyms)
    for rule in schema.askable_rules:
        names += (rule.name, *rule.synonyms)
    return frozenset(stem(word) for name in names for word in name_words(name)) - _SAID_BY_ALL


# Words that hold a question together, though names hold them too ("number of seats").
_SAID_BY_ALL = frozenset(stem(word) for word in STOP_WORDS)
