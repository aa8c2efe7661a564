"""Listed values that a question may mean in words of its own: "too pricey" for ``too_expensive``.

Nothing of such a value is said, so it is found by meaning: by a run of the question's words that
is near the value, and by the whole question, near what the column holds of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import islice

import torch

from dbt_t2s.project.copies import copies
from dbt_t2s.project.schema import Column, Kind, ProjectSchema
from dbt_t2s.query.text import name_words

MOST_MEANT = 6
_MOST_OF_COLUMN = 40  # a column of more tells names and not kinds
_MOST = 600


@dataclass(frozen=True)
class Meant:
    """A value over words first..last: how like it these are, and how like the whole question."""

    token: str
    first: int
    last: int
    near: float
    whole: float


class MeantValues:
    """The listed values of a project with their vectors."""

    def __init__(
        self, listed: Sequence[Told], vectors: Callable[[Sequence[str]], torch.Tensor]
    ) -> None:
        """``vectors`` gives those (texts, 384) of the values' texts (``texts_of``)."""
        self.tokens = tuple(told.token for told in listed)
        self._place = {token: at for at, token in enumerate(self.tokens)}
        self._names = vectors([told.name for told in listed])
        self._described = vectors([told.described for told in listed])

    def nearest(
        self,
        grams: Sequence[tuple[int, int]],
        vectors: torch.Tensor,
        question: torch.Tensor,
        said: Set[str],
        needed: Set[str],
    ) -> list[Meant]:
        """The likeliest of those that are not ``said``, and those ``needed``.

        ``vectors`` (grams, 384) are those of the runs of words ``grams`` (first, last);
        ``question`` (384,) is that of all.
        """
        if not self.tokens or not grams:
            return []
        near, gram = (vectors @ self._names.T).max(0)
        whole = self._described @ question
        order = torch.argsort(-(near + whole), stable=True).tolist()
        left = [at for at in order if self.tokens[at] not in said]
        chosen = dict.fromkeys(left[:MOST_MEANT])
        chosen |= dict.fromkeys(self._place[t] for t in sorted(needed - said) if t in self._place)
        return [
            Meant(self.tokens[at], *grams[int(gram[at])], float(near[at]), float(whole[at]))
            for at in chosen
        ]


@dataclass(frozen=True)
class Told:
    """A listed value in words, alone and after what its column holds."""

    token: str
    name: str
    described: str


def told_values(schema: ProjectSchema) -> list[Told]:
    """The values of kinds, not of wide marts that repeat another table."""
    passed_over = copies(schema)
    kinds = (
        (table.name, column)
        for table in schema.tables
        if table.name not in passed_over
        for column in table.columns
        if column.kind is Kind.TEXT and 1 < len(column.values) <= _MOST_OF_COLUMN
    )
    every = (
        Told(f"v:{table}.{column.name}={value}", _told(value), f"{_what(column)}: {_told(value)}")
        for table, column in kinds
        for value in column.values
    )
    return list(islice(every, _MOST))


def texts_of(listed: Sequence[Told]) -> Iterator[str]:
    """All that is read of the values."""
    for told in listed:
        yield from (told.name, told.described)


def _told(name: str) -> str:
    return " ".join(name_words(name)) or name


def _what(column: Column) -> str:
    return column.description.partition(".")[0] or _told(column.name)
