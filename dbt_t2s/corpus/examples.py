"""Training examples and what they cover."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """One question with its SQL.

    ``sql`` is empty for a question that the data cannot answer; ``plan`` is the plan's tokens as
    a JSON list; ``template`` names the shape that made it; ``skeleton`` is the plan with items
    replaced by their sorts; ``split`` is train, dev or test.
    """

    id: str
    split: str
    phase: int
    type: str
    question: str
    sql: str
    plan: str
    template: str
    skeleton: str


@dataclass(frozen=True)
class Counted:
    """How many examples touch one thing, in how many different wordings."""

    thing: str
    examples: int
    wordings: int


@dataclass(frozen=True)
class Coverage:
    """What the corpus covers, and what it could not."""

    examples: int
    by_phase: tuple[Counted, ...]
    by_type: tuple[Counted, ...]
    tables: tuple[Counted, ...]
    columns: tuple[Counted, ...]
    metrics: tuple[Counted, ...]
    rules: tuple[Counted, ...]
    templates: tuple[Counted, ...]
    rejected: tuple[Counted, ...]


@dataclass(frozen=True)
class Corpus:
    examples: tuple[Example, ...]
    coverage: Coverage
