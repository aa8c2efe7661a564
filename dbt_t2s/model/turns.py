"""A conversation so far: the questions that were answered, with the plans that answered them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """One answered question.

    ``question`` is what it was read as in full, ``sql`` its answer, ``plan`` that answer's plan in
    one line (``query.plan_text``); empty where nobody knows it.
    """

    question: str
    sql: str
    plan: str = ""
