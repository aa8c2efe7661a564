"""Training examples and what they cover."""

from __future__ import annotations

from dataclasses import dataclass

from dbt_t2s.project.schema import Issue


@dataclass(frozen=True)
class Example:
    """One question with its SQL.

    ``sql`` is empty for a question that the data cannot answer; ``plan`` is the plan's tokens as
    a JSON list; ``template`` names the shape that made it; ``skeleton`` is the plan with items
    replaced by their sorts; ``split`` is train, dev or test. ``rules`` are the business rules that
    the question names; ``origin`` is where it was drawn: ``seed/chunk``, and the thing that it was
    drawn for (``0/21 c:orders.status``), or ``review``.
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
    rules: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True)
class Counted:
    """How many examples touch one thing, in how many different wordings.

    Two questions are worded alike where only names, values and numbers differ.
    """

    thing: str
    examples: int
    wordings: int


@dataclass(frozen=True)
class Coverage:
    """What the corpus covers, and what it could not.

    ``joins`` are the proven edges (``orders.customer_id = customers.customer_id``), ``patterns``
    the templates mined from the project's own SQL, which an example counts for when it has all
    their clauses and aggregates; ``operators`` are the keywords of plans.
    ``complete`` is the share of what can be asked about that is asked about often enough;
    ``issues`` say why something is not.
    """

    examples: int
    by_phase: tuple[Counted, ...]
    by_type: tuple[Counted, ...]
    tables: tuple[Counted, ...]
    columns: tuple[Counted, ...]
    metrics: tuple[Counted, ...]
    rules: tuple[Counted, ...]
    templates: tuple[Counted, ...]
    rejected: tuple[Counted, ...]
    joins: tuple[Counted, ...] = ()
    operators: tuple[Counted, ...] = ()
    patterns: tuple[Counted, ...] = ()
    complete: float = 1.0
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class Corpus:
    examples: tuple[Example, ...]
    coverage: Coverage
