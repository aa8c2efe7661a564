"""The shapes of questions: each draws a plan and its words together.

A shape is a method that returns a ``Draft`` or None when the schema has nothing for it; its name
is the example's template. ``measure_shapes`` and ``row_shapes`` list them with their weights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from dbt_t2s.corpus.conditions import Conditions
from dbt_t2s.corpus.registers import frame, surround
from dbt_t2s.corpus.said import Said
from dbt_t2s.corpus.speech import roughen, tidy
from dbt_t2s.corpus.vocabulary import Vocabulary, singular
from dbt_t2s.corpus.wording import reworded
from dbt_t2s.project.schema import Column, Role, Table
from dbt_t2s.query.naming import tells_rows_apart
from dbt_t2s.query.plan import Col, Not, Or, Plan, Pred, Value


@dataclass(frozen=True)
class Draft:
    """A question and its plan (None: the data cannot answer it), not yet proven."""

    text: str
    plan: Plan | None
    type: str
    phase: int
    template: str = ""


_HASHED = re.compile(r"(^|_)(key|sk|hk|uuid|guid) |surrogate")
# Kinds of conditions that stand first or not at all.
_ALONE = ("nested", "either")

Shape = Callable[[Random], Draft | None]


@dataclass(frozen=True)
class Where:
    """Several conditions: their predicates and the words around a noun."""

    preds: tuple[Pred, ...] = ()
    before: str = ""
    after: str = ""
    kept: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()

    def around(self, noun: str) -> str:
        return f"{self.before} {noun} {self.after}".strip()


class ShapeRoom:
    """What all shapes share: words, conditions, and the last touch on a question's text."""

    def __init__(self, vocabulary: Vocabulary, conditions: Conditions) -> None:
        self.words = vocabulary
        self.conditions = conditions

    def table(self, rng: Random) -> Table:
        return self.words.tables[self.words.any_table(rng)]

    def where(
        self,
        root: str,
        rng: Random,
        counts: Sequence[float],
        without: Sequence[str] = (),
        rows: bool = True,
    ) -> Where:
        """Zero or more conditions on rows of ``root``; ``counts`` weighs how many.

        ``rows`` says that the rows themselves are asked for, and no metric of them: then a period
        says what they did in it.
        """
        number = rng.choices(range(len(counts)), counts)[0]
        found: list[Said] = []
        about = list(without)
        for _ in range(number):
            said = self.conditions.draw(root, rng, about)
            if said is not None and rows and said.about == "time":
                said = self._began(said, self.words.tables[root], rng)
            if said is None or (said.kind in _ALONE and found):
                continue
            if self.names_rows(said.pred, root):
                continue  # "campaigns of Spring Trails"
            found.append(said)
            about.append(said.about)
            if said.kind == "either":  # "either … or … and …" would be read in two ways
                break
        return joined(found, rng)

    def names_rows(self, pred: Pred, root: str) -> bool:
        """Whether a condition names single rows of ``root``: nobody counts or averages those."""
        return any(self.words.tells_rows(root, of) for of in values_in(pred))

    def _began(self, said: Said, root: Table, rng: Random) -> Said | None:
        """A period with its verb where rows last; None where there is no verb for them."""
        if not self.words.lasts(root):
            return said
        verbs = self.words.began(root)
        return replace(said, after=f"{rng.choice(verbs)} {said.after}") if verbs else None

    def is_shared(self, table: Table, column: Column, name: str) -> bool:
        """Whether ``name`` leaves open which table's column is meant."""
        return (
            self.words.is_shared(column.name)
            or self.words.owners[name] > 1
            or self.words.others.is_part(column, name)
        )

    def finish(self, rng: Random, text: str, kept: Sequence[str], *, ordered: bool = True) -> str:
        """The question as typed: tidied, reworded, framed, then roughened.

        Rows that stand for their number are not ``ordered``: "list new customers" shows them.
        """
        words = self.words
        today, text = self.conditions.today, tidy(text)
        fiscal = self.conditions.fiscal
        said = reworded(rng, text, kept, today, words.one_people, words.participles, fiscal)
        return roughen(rng, (frame if ordered else surround)(rng, said), kept)


class RowRoom(ShapeRoom):
    """What shapes about rows share: the name of a row, and columns to show beside it."""

    def names_rows(self, pred: Pred, root: str) -> bool:
        """Also by a name that several rows bear: rows of a name are not listed by that name."""
        display = self.words.display(self.words.tables[root])
        named = display is not None and Col(root, display.name) in values_in(pred)
        return named or super().names_rows(pred, root)

    def named(self, rng: Random) -> tuple[Table, Column] | None:
        """A table whose rows have a name (or at least a key), and that column."""
        table = self.table(rng)
        column = self.words.display(table)
        if column is None and len(table.primary_key) >= 1 and rng.random() < 0.4:
            column = self._number(table)
        return (table, column) if column is not None else None

    def _number(self, table: Table) -> Column:
        """What people call the id of a row: its key, or what that is a hash of."""
        key = table.column(table.primary_key[0])
        entity = singular(self.words.nouns(table)[0]).replace(" ", "_")
        if not _HASHED.search(f"{key.name.lower()} {key.description.lower()}"):
            return key
        names = (f"{entity}_id", "id", re.sub("_[a-z]+$", "_id", key.name.lower()))
        named = (c for c in table.columns if c.name.lower() in names and c != key)
        return next((c for c in named if tells_rows_apart(table, c)), key)

    def shown(self, table: Table, column: Column) -> bool:
        return column.role not in (Role.KEY, Role.FOREIGN_KEY) and not column.personal

    def attributes(self, table: Table, known: str, rng: Random) -> tuple[Column, ...]:
        """One to three columns to ask about a row, none of them ``known``."""
        able = [c for c in table.columns if self.shown(table, c) and c.name != known]
        number = min(rng.choices((1, 2, 3), (5, 4, 2))[0], len(able))
        return tuple(rng.sample(able, number))

    def listed(self, table: Table, columns: tuple[Column, ...], rng: Random) -> str:
        names = [self.words.shown_name(table, c, rng) for c in columns]
        if len(names) == 1:
            return names[0]
        link = rng.choice((" and ", " and ", ", "))
        return ", ".join(names[:-1]) + link + names[-1]


def values_in(pred: Pred) -> tuple[Col, ...]:
    """The columns whose values a condition names."""
    match pred:
        case Value(table, column, _):
            return (Col(table, column),)
        case Not(of):
            return values_in(of)
        case Or(left, right):
            return (*values_in(left), *values_in(right))
        case _:
            return ()


def joined(said: Sequence[Said], rng: Random) -> Where:
    """Conditions put around a noun: at most one before it, the others after, dates often last."""
    before = [s for s in said if s.before]
    after = [s for s in said if s.after]
    if rng.random() < 0.7:
        after.sort(key=lambda s: s.kind == "date range")
    words = [s.after for s in after]
    text = ""
    for i, each in enumerate(words):
        link = " " if i == 0 else rng.choice((" ", " ", " and ", ", "))
        if link == " and " and each.split()[0] in ("in", "for", "during", "last", "this"):
            link = " "
        text += link + each
    return Where(
        tuple(p for s in said for p in (s.pred, *s.also)),
        " ".join(s.before for s in before),
        text.strip(),
        tuple(k for s in said for k in s.kept),
        frozenset(s.kind for s in said),
    )


def type_of(base: str, where: Where, tables: int) -> str:
    """The question's type by its most telling trait."""
    for kind in ("nested", "NULL handling", "date range"):
        if kind in where.kinds and base in ("single table", "metric", "filter"):
            return kind
    if base == "single table" and where.preds:
        return "filter"
    if base == "single table" and tables > 1:
        return "join"
    return base
