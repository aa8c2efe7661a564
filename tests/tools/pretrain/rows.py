"""Human questions with the tokens of their plans, each token known or said in the question."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.grammar import Grammar
from dbt_t2s.query.items import mention_item, schema_items
from dbt_t2s.query.linear import to_tokens
from dbt_t2s.query.link import ValueIndex, mentions
from dbt_t2s.query.numbers import number_spans
from dbt_t2s.query.sql_source import NotConvertedError
from tests.tools.pretrain.golds import gold_converter
from tests.tools.pretrain.replay import refusal
from tests.tools.pretrain.schemas import schemas

_TODAY = date(2020, 1, 1)
# Their questions are in romanised Hindi here.
_NOT_ENGLISH = frozenset(("academic", "geo", "imdb", "restaurants", "scholar", "yelp"))
_STEPS = {"GE": ("GT", -1), "GT": ("GE", 1), "LE": ("LT", 1), "LT": ("LE", -1)}


@dataclass(frozen=True)
class Row:
    db_id: str
    question: str
    tokens: tuple[str, ...]
    source: str


@dataclass
class Found:
    """What became of the questions: ``rows`` are usable, the others say why not."""

    rows: list[Row] = field(default_factory=list)
    refused: list[tuple[Row, str]] = field(default_factory=list)
    unsaid: list[tuple[Row, str, str]] = field(default_factory=list)
    unconverted: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)

    def losses(self) -> dict[str, Counter[str]]:
        return {
            "no plan": Counter(reason for _, reason in self.unconverted),
            "not said in the question": Counter(reason for _, _, reason in self.unsaid),
            "refused by the grammar": Counter(reason for _, reason in self.refused),
        }


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def read_schemas(data: Path) -> tuple[dict[str, ProjectSchema], list[dict[str, Any]]]:
    """The schemas by database, and every question."""
    questions = [
        row
        for name in ("spider_train.jsonl", "spider_syn_train.jsonl")
        for row in read_jsonl(data / name)
    ]
    return schemas(read_jsonl(data / "schemas.jsonl"), questions), questions


class Reader:
    """Turns questions over one schema into rows."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._schema = schema
        self._converter = gold_converter(schema)
        self._index = ValueIndex(schema)
        binder = Binder(schema)
        self._grammar = Grammar(schema, binder.graph)
        self._items = {item.token: item for item in schema_items(schema, binder)}

    def read(self, given: Mapping[str, Any], found: Found) -> None:
        if given["db_id"] in _NOT_ENGLISH:
            found.unconverted.append((given, "a question not in English"))
            return
        try:
            tokens = to_tokens(self._converter.plan(given["sql"]))
        except NotConvertedError as error:
            found.unconverted.append((given, str(error)))
            return
        question = " ".join(given["question"].split())
        said = [m.token for m in mentions(question, self._index, today=_TODAY)]
        tokens = _as_said(tokens, said)
        row = Row(given["db_id"], question, tokens, given["source"])
        missing = [t for t in tokens if t[:2] in ("v:", "n:", "s:") and t not in said]
        if missing:
            found.unsaid.append((row, missing[0], _why(missing[0], question)))
            return
        items = self._items | {t: mention_item(t, self._schema) for t in said}
        stopped = refusal(tokens, self._grammar, items)
        if stopped:
            found.refused.append((row, stopped))
        else:
            found.rows.append(row)


def find(
    found_schemas: Mapping[str, ProjectSchema], questions: Sequence[Mapping[str, Any]]
) -> Found:
    readers = {name: Reader(schema) for name, schema in found_schemas.items()}
    found = Found()
    for question in questions:
        readers[question["db_id"]].read(question, found)
    # The synonym set keeps many questions as they were.
    unique: dict[tuple[str, str, tuple[str, ...]], Row] = {}
    for row in found.rows:
        unique.setdefault((row.db_id, row.question, row.tokens), row)
    return replace(found, rows=list(unique.values()))


def _as_said(tokens: tuple[str, ...], said: Sequence[str]) -> tuple[str, ...]:
    """Quoted text in the question's own case, and "more than 1" where the gold says ">= 2"."""
    texts = {t.lower(): t for t in said if t.startswith("s:")}
    made = [texts.get(t.lower(), t) if t.startswith("s:") else t for t in tokens]
    for at, token in enumerate(made):
        amount = at + 3
        if token not in _STEPS or amount >= len(made) or made[at + 1] != "COUNT":
            continue
        operator, step = _STEPS[token]
        number = made[amount]
        if number.startswith("n:") and number not in said and number[2:].isdigit():
            other = f"n:{int(number[2:]) + step}"
            if other in said:
                made[at], made[amount] = operator, other
    return tuple(made)


def _why(token: str, question: str) -> str:
    body = token[2:].partition("=")[2] if token.startswith("v:") else token[2:]
    if token.startswith("n:"):
        written = any(span.value == body for span in number_spans(question))
        return "a number read as a date" if written else "a number that is not said"
    if token.startswith("s:"):
        quoted = body.lower() in question.lower()
        return "text said without quotes" if quoted else "text that is not said"
    if body.lower() in question.lower():
        return "a value said but not linked"
    return "a value said in other words"
