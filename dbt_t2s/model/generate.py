"""What a trained model offers: candidates for questions, whatever kind of model it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from dbt_t2s.model.hub_quiet import quiet
from dbt_t2s.model.turns import Turn
from dbt_t2s.project.schema import ProjectSchema


@dataclass(frozen=True)
class Candidate:
    """One answer a model proposes.

    ``sql`` is empty when the model refuses, and ``refusal`` then says what is missing.
    ``confidence`` lies in 0..1. ``items`` are the metrics and rules that the SQL was made from
    (``m:net_revenue``), where the model knows; ``plan`` is its query plan in one line.
    """

    sql: str
    confidence: float
    refusal: str = ""
    items: tuple[str, ...] = ()
    plan: str = ""


@dataclass(frozen=True)
class Followed:
    """What a model makes of a question in a conversation.

    ``read_as`` is the whole question that a follow-up was read as; empty where the question leans
    on nothing said before. Without ``candidates`` it is to be answered alone.
    """

    read_as: str
    candidates: Sequence[Candidate] = ()


Agree = Callable[[Sequence[Candidate]], tuple[Candidate, ...]]
"""Makes one candidate of those that say the same, as likely as they are together."""


class Generator(Protocol):
    """A loaded model."""

    def generate(self, questions: Sequence[str]) -> Sequence[Sequence[Candidate]]:
        """Candidates for each question, best first."""
        ...


@runtime_checkable
class Mender(Protocol):
    """A model that was taught to mend SQL that failed."""

    def mend(self, question: str, wrong_sql: str, message: str) -> tuple[Candidate, ...]:
        """Candidates in the place of one that failed with the database's ``message``."""
        ...


@runtime_checkable
class Agreeing(Protocol):
    """A model that is surer of what several of its candidates say."""

    def agree_by(self, agree: Agree) -> None:
        """From here on candidates are told to say the same by ``agree``."""
        ...


@runtime_checkable
class Follower(Protocol):
    """A model that reads follow-up questions."""

    def follow(self, question: str, before: Sequence[Turn]) -> Followed:
        """What ``question`` asks after the answers of ``before``, the last one last."""
        ...


def load(model_dir: Path, schema: ProjectSchema) -> Generator:
    """Load the model in ``model_dir``, of whichever kind; ModelError when it cannot be used."""
    from dbt_t2s.model.record import read_record

    record = read_record(model_dir)
    if record.kind == "hub":
        quiet()
        from dbt_t2s.model.hub_generate import HubGenerator

        return HubGenerator(model_dir, schema)
    from dbt_t2s.model.embedded import EmbeddedGenerator

    return EmbeddedGenerator(model_dir, schema)
