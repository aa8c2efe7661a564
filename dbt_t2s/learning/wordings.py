"""Training examples of a lesson: its question in other words, and its neighbours.

Neighbours ask the same of another value, period, number or grain. What a question says is always
found in it again, or it is no example.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from random import Random

from dbt_t2s.corpus.examples import Example
from dbt_t2s.corpus.registers import frame
from dbt_t2s.corpus.review import SQL_ONLY
from dbt_t2s.corpus.speech import roughen, say_date
from dbt_t2s.corpus.wording import shortened
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.judge.suite import normal
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.linear import REFUSAL, from_tokens
from dbt_t2s.query.link import Mention, ValueIndex, mentions
from dbt_t2s.query.plan import GRAINS
from dbt_t2s.query.text import STOP_WORDS, Word, words
from dbt_t2s.sql import transpile

Tokens = tuple[str, ...]
WORDINGS, NEIGHBOURS = 8, 6
_SAID = ("v:", "d:", "n:", "s:")
_GRAIN_WORDS = {grain: grain.lower() for grain in GRAINS}
_TRIES = 6
# Small words that a question cannot do without.
_MEANT = frozenset(
    "no not without over under between than per each every all any by and or only".split()
)
_TURNS = tuple(
    (re.compile(pattern, re.I), others)
    for pattern, others in (
        (r"^how many\b", ("number of", "count of", "count the", "the number of", "how many")),
        (r"^(number|count) of\b|^count (the)?\b", ("how many", "number of", "count of")),
        (r"^(who|which|what) (is|are) the\b", ("the", "show the", "tell me the")),
        (
            r"\b(per|by|for each|for every|in each|by each)\b",
            ("by", "per", "for each", "for every"),
        ),
        (r"\bdo we have\b", ("are there", "we have", "exist")),
        (r"\bare there\b", ("do we have", "exist")),
        (r"\baverage\b|\bavg\b|\bmean\b", ("average", "mean", "avg")),
        (r"\bwithout\b|\bwith no\b", ("without", "with no", "that have no", "lacking")),
        (r"\bpeople who\b|\bfolks who\b", ("people who", "people that", "those who")),
        (r"\bshare\b|\bpercentage\b|\bproportion\b", ("share", "percentage", "proportion")),
        (r"\b(over|above|more than)\b(?= [\d$€£])", ("over", "above", "more than")),
        (r"^(show me|show|list|give me|names? of)\b", ("list", "show", "give me", "what are")),
    )
)


class Wordings:
    """Words lessons anew over one schema; the same seed gives the same examples."""

    def __init__(self, schema: ProjectSchema, today: date, seed: int) -> None:
        self._schema = schema
        self._today = today
        self._seed = seed
        self._values = ValueIndex(schema)
        self._binder = Binder(schema)

    def examples(self, question: str, plan: Tokens, kind: str) -> tuple[Example, ...]:
        """The question itself, first, then other wordings and neighbours, all different."""
        rng = Random(f"{self._seed} {question}")
        found: dict[str, Example] = {}
        pairs = [(question, plan), *self._reworded(rng, question, plan)]
        if plan != REFUSAL:
            for text, other in list(self._neighbours(rng, question, plan)):
                pairs += [(text, other), *self._reworded(rng, text, other, 1)]
        for text, tokens in pairs:
            try:
                made = example(text, tokens, kind, self._sql(tokens))
            except QueryPlanError:
                continue  # a neighbour that makes no sense, such as a metric by another grain
            found.setdefault(normal(text), made)
        return tuple(found.values())

    def _sql(self, plan: Tokens) -> str:
        """A plan's SQL in the project's dialect; empty for a refusal."""
        made = from_tokens(plan)
        if made is None:
            return ""
        return transpile(self._binder.sql(made), "duckdb", self._schema.dialect, pretty=True)

    def says(self, question: str, plan: Tokens) -> bool:
        """Whether the question brings all values, dates, numbers and texts of the plan."""
        said = {m.token for m in self._mentions(question)}
        return all(token in said for token in plan if token[:2] in _SAID)

    def _mentions(self, question: str) -> tuple[Mention, ...]:
        return mentions(question, self._values, self._today)

    def _reworded(
        self, rng: Random, question: str, plan: Tokens, wanted: int = WORDINGS
    ) -> Iterator[tuple[str, Tokens]]:
        """How else people put it: framed, shortened, roughened, without its mark."""
        bare = question.strip().rstrip("?.! ")
        kept = tuple(self._kept(question, plan))
        made = 0
        for _ in range(wanted * _TRIES):
            text = _turned(rng, bare[:1].lower() + bare[1:])
            text = _keywords(text, plan) if rng.random() < 0.15 else frame(rng, text)
            if rng.random() < 0.4:
                text = shortened(rng, text, kept)
            if rng.random() < 0.5:
                text = roughen(rng, text, kept)
            if normal(text) != normal(question) and self.says(text, plan):
                yield text, plan
                made += 1
                if made == wanted:
                    return

    def _kept(self, question: str, plan: Tokens) -> Iterator[str]:
        spoken = words(question)
        for mention in self._mentions(question):
            if mention.token in plan:
                yield question[spoken[mention.first].start : spoken[mention.last].end]

    def _neighbours(self, rng: Random, question: str, plan: Tokens) -> Iterator[tuple[str, Tokens]]:
        made: list[tuple[str, Tokens]] = []
        for make in (self._other_values, self._other_dates, self._other_numbers, _other_grains):
            made += [each for each in make(rng, question, plan) if self.says(*each)]
        rng.shuffle(made)
        yield from made[:NEIGHBOURS]

    def _other_values(
        self, rng: Random, question: str, plan: Tokens
    ) -> Iterator[tuple[str, Tokens]]:
        """The same of other values of a column."""
        spoken = words(question)
        for mention in self._mentions(question):
            if mention.token not in plan or mention.token[:2] != "v:":
                continue
            of, _, value = mention.token.partition("=")
            table, _, column = of[2:].partition(".")
            known = [v for v in self._schema.table(table).column(column).values if v != value]
            for other in rng.sample(known, min(len(known), 3)):
                text = _replaced(question, spoken, mention, other.replace("_", " "))
                yield text, _swapped(plan, mention.token, f"{of}={other}")

    def _other_dates(
        self, rng: Random, question: str, plan: Tokens
    ) -> Iterator[tuple[str, Tokens]]:
        """The same of other periods, where one is said."""
        spans = date_spans(question, self._today, self._schema.fiscal_year)
        dated = [t for t in plan if t[:2] == "d:"]
        if len(spans) != 1 or len(dated) != 1:
            return
        span = spans[0]
        for _ in range(4):
            first = date(self._today.year - 2, 1, 1)
            said = say_date(rng, self._today, first, self._today, self._schema.fiscal_year)
            if said is not None:
                before = question[: span.start].rstrip()
                before = re.sub(r"\s(in|during|for|over|of|on)$", "", before)
                text = f"{before} {said.text}{question[span.end :]}".strip()
                yield text, _swapped(plan, dated[0], f"d:{said.range.start}/{said.range.end}")

    def _other_numbers(
        self, rng: Random, question: str, plan: Tokens
    ) -> Iterator[tuple[str, Tokens]]:
        """The same with another number, where it is written in figures."""
        spoken = words(question)
        for mention in self._mentions(question):
            number = mention.token[2:]
            if mention.token[:2] != "n:" or mention.token not in plan or not number.isdigit():
                continue
            if spoken[mention.first].text == number and len(number) < 5:
                other = str(max(int(number) + rng.choice((-1, 1)) * max(int(number) // 3, 1), 2))
                yield (
                    _replaced(question, spoken, mention, other),
                    _swapped(plan, mention.token, f"n:{other}"),
                )


def _turned(rng: Random, text: str) -> str:
    """Some of a question's turns of phrase as others that say the same."""
    for pattern, others in _TURNS:
        if rng.random() < 0.5:
            text = pattern.sub(rng.choice(others), text, count=1)
    return text


def _keywords(text: str, plan: Tokens) -> str:
    """Little more than the words that matter, as into a search box."""
    kept = [w.text for w in words(text) if w.text.lower() not in STOP_WORDS - _MEANT]
    return " ".join(kept) if len(kept) > 1 and plan != REFUSAL else text


def _other_grains(rng: Random, question: str, plan: Tokens) -> Iterator[tuple[str, Tokens]]:
    """The same by another grain: by month, by quarter."""
    for grain, word in _GRAIN_WORDS.items():
        pattern = re.compile(rf"\b{word}(s|ly|)\b", re.I)
        if grain in plan and len(pattern.findall(question)) == 1 and word != "day":
            other = rng.choice([g for g in ("WEEK", "MONTH", "QUARTER", "YEAR") if g != grain])
            text = pattern.sub(rf"{_GRAIN_WORDS[other]}\g<1>", question)
            yield text, _swapped(plan, grain, other)


def _replaced(question: str, spoken: Sequence[Word], mention: Mention, other: str) -> str:
    start, end = spoken[mention.first].start, spoken[mention.last].end
    return question[:start] + other + question[end:]


def _swapped(plan: Tokens, token: str, other: str) -> Tokens:
    return tuple(other if each == token else each for each in plan)


def example(question: str, plan: Tokens, kind: str, sql: str) -> Example:
    """A training example; without tokens it has no plan, and is for models that write SQL."""
    return Example(
        id=hashlib.sha256(f"{question}\n{sql or ' '.join(plan)}".encode()).hexdigest()[:16],
        split="train",
        phase=3,
        type="learned",
        question=question,
        sql=sql,
        plan=json.dumps(plan) if plan else SQL_ONLY,
        template=kind,
        skeleton=" ".join(plan),
        origin="feedback",
    )
