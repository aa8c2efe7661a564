"""What hub models learn beside the examples: wrong SQL to mend and other forms to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recovery:
    """A wrong answer with what came of it and the right one.

    ``kind`` names the mistake; ``message`` is the database's own, or how the result differs from
    the right one; ``id`` is made from the question and the wrong SQL.
    """

    id: str
    split: str
    question: str
    wrong_sql: str
    message: str
    sql: str
    kind: str


@dataclass(frozen=True)
class Variation:
    """A question with another form of its SQL; ``law`` says why it means the same as ``house``."""

    id: str
    split: str
    question: str
    sql: str
    house: str
    law: str
