"""What is asked of which schema, in one portable file: ``retell`` writes it, ``pack`` reads it."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import codec
from dbt_t2s.project.schema import ProjectSchema

TODAY = "2020-01-01"


@dataclass(frozen=True)
class Question:
    """``tokens`` is the plan, ``before`` that of the question before a follow-up; ``weight`` how
    often it is met for one of weight 1."""

    text: str
    tokens: tuple[str, ...]
    weight: int = 1
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Telling:
    """One schema and what is asked of it; ``held`` names the held-out set it belongs to."""

    schema: ProjectSchema
    questions: tuple[Question, ...]
    held: str = ""

    @property
    def today(self) -> str:
        return self.schema.as_of or TODAY


def write(path: Path, tellings: Sequence[Telling]) -> None:
    """One JSON line a telling, compressed."""
    with lzma.open(path, "wt", encoding="utf-8") as file:
        for telling in tellings:
            file.write(json.dumps(codec.encode(telling), ensure_ascii=False) + "\n")


def read(path: Path) -> Iterator[Telling]:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield codec.decode(json.loads(line), Telling)
