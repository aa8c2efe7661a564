"""What a teacher model adds to the corpus: other wordings of its questions, and new questions.

A teacher's text is hostile until it has passed every filter here. Nothing is sent but questions
and words of the schema; what names a value of a personal column is not sent.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.project.schema import Issue, Level, ProjectSchema
from dbt_t2s.query.link import ValueIndex, mentions

# (system, user, seed) → the teacher's text, None where there is none.
Ask = Callable[[str, str, int], str | None]
WORDINGS = 4  # asked for, of one question
_PROPOSALS = 5  # asked for, about one table
_LONGEST, _MOST_LINES = 300, 40
_TOKENS_KEPT = ("v:", "d:", "n:", "s:")

_PARAPHRASE = (
    "Reword a business question about data in {count} different ways, as different people would "
    "ask it. Keep its meaning exactly, and every name, value, number and date as it is. "
    "Answer with one question a line and nothing else."
)
_PROPOSE = (
    "From the tables below write {count} questions that business people would ask, each with one "
    "{dialect} SELECT that answers it. Answer with one JSON object a line and nothing else: "
    '{{"question": "...", "sql": "..."}}'
)
_BULLET = re.compile(r"\s*(?:[-*•]|\(?\d{1,2}[.):])\s+")
_MARKUP = re.compile(r"[<>{}`|\\]|https?://|\*\*|__|^#|\[\w*\]\(", re.MULTILINE)
_NO_QUESTION = re.compile(
    r"\b(?:ignore|disregard|forget)\b.*\b(?:previous|prior|above|all|earlier|instruction)|"
    r"\b(?:system prompt|as an ai|language model|assistant|i (?:cannot|can't|am unable|apologi)|"
    r"i'm sorry|here (?:are|is)|sure[,!]|rephras\w+|reword\w*|paraphras\w+)\b|"
    r"\b(?:drop|truncate|alter)\s+table\b|\bdelete\s+from\b|\binsert\s+into\b|;\s*--|"
    r"\bselect\b.+\bfrom\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"[^"]*"\Z|“[^“”]*”\Z')
# Words that turn a question round: a wording has those of the same kinds as the first one.
_SENSES = tuple(
    re.compile(rf"\b(?:{words})\b|n't\b" if words.startswith("not") else rf"\b(?:{words})\b")
    for words in (
        "not|no|without|never|except|excluding|none|nothing|neither",
        "average|averaged|mean|avg|typical|typically|on average",
        "median",
        "lowest|least|fewest|smallest|minimum|min|bottom|worst|cheapest|shortest",
        "different|distinct|unique",
        "before|until|prior to",
        "after|since",
        "cumulative|running|so far",
        "share|percentage|percent|proportion|rate|fraction|ratio",
    )
)


@dataclass(frozen=True)
class Taught:
    """The examples that a teacher added, and why there are not more."""

    examples: tuple[Example, ...]
    issues: tuple[Issue, ...] = ()


def paraphrases(
    examples: Sequence[Example], schema: ProjectSchema, ask: Ask, today: date, *, seed: int = 0
) -> Taught:
    """Other wordings of training questions, each linked to its plan as the first one is.

    Questions are asked about in a fixed random order until ``ask`` gives no more answers.
    """
    train = [each for each in examples if each.split == "train"]
    Random(f"teacher {seed}").shuffle(train)
    filters = _Filters(examples, schema, today)
    found: list[Example] = []
    silent = 0
    for example in train:
        if filters.private(example):
            filters.rejected["names a value of a personal column (not sent)"] += 1
            continue
        text = ask(_PARAPHRASE.format(count=WORDINGS), example.question, seed)
        silent = silent + 1 if text is None else 0
        if silent >= 3:
            break
        for line in _lines(text or "")[:_MOST_LINES]:
            if filters.fit(line, example):
                found.append(_reworded(example, line))
    return Taught(tuple(found), filters.issues())


def proposals(
    examples: Sequence[Example],
    schema: ProjectSchema,
    ask: Ask,
    execute: Execute,
    today: date,
    *,
    seed: int = 0,
) -> Taught:
    """New questions with SQL that runs and says something, for models that write SQL as text.

    They have no plan: ``plan`` is empty. One question to the teacher for each table.
    """
    filters = _Filters(examples, schema, today)
    known = {" ".join(each.sql.lower().split()) for each in examples}
    found: list[Example] = []
    system = _PROPOSE.format(count=_PROPOSALS, dialect=schema.dialect)
    for name in sorted(table.name for table in schema.tables):
        text = ask(system, "\n".join(_told(schema, name)), seed)
        for line in _lines(text or "")[:_MOST_LINES]:
            pair = _pair(line)
            if pair is None:
                filters.rejected["no question with SQL"] += 1
                continue
            question, sql = pair
            if not filters.fit(question, None):
                continue
            result = execute(sql)
            if isinstance(result, QueryError):
                filters.rejected[f"SQL fails ({result.kind})"] += 1
            elif not any(value is not None for row in result.rows for value in row):
                filters.rejected["SQL gives nothing"] += 1
            elif " ".join(sql.lower().split()) in known:
                filters.rejected["SQL that is there already"] += 1
            else:
                found.append(_proposed(question, sql))
    return Taught(tuple(found), filters.issues())


class _Filters:
    """What a question must be to be kept, with counts of what was not."""

    def __init__(self, examples: Iterable[Example], schema: ProjectSchema, today: date) -> None:
        self._asked = {_normal(each.question) for each in examples}
        self._values, self._today = ValueIndex(schema), today
        self._personal = {
            f"{table.name}.{column.name}"
            for table in schema.tables
            for column in table.columns
            if column.personal
        }
        self.rejected: Counter[str] = Counter()

    def private(self, example: Example) -> bool:
        """Whether a question names a value, or a text sought, of a personal column."""
        tokens = json.loads(example.plan)
        columns = {t[2:].partition("=")[0] for t in tokens if t[:2] in ("v:", "c:")}
        named = any(t[:2] in ("v:", "s:") for t in tokens)
        return named and bool(columns & self._personal)

    def fit(self, line: str, example: Example | None) -> bool:
        """Whether a question may be kept; with ``example``, as another wording of its question."""
        why = self._why_not(line, example)
        if why:
            self.rejected[why] += 1
        else:
            self._asked.add(_normal(line))
        return not why

    def _why_not(self, line: str, example: Example | None) -> str:
        words = _normal(line).split()
        if len(words) < 2 or len(line) > _LONGEST or not line.isprintable():
            return "too short, too long or unprintable"
        if _MARKUP.search(line) or _NO_QUESTION.search(line):
            return "markup, SQL, an instruction or a refusal"
        if _normal(line) in self._asked:
            return "asked already"
        if example is not None and self._found(line) != self._found(example.question):
            return "other names, values, numbers or dates"
        if example is not None and _senses(line) != _senses(example.question):
            return "another meaning, by its words"
        if example is not None and not self._needed(example) <= self._found(line):
            return "a value of the SQL is not in it"
        return ""

    def _found(self, text: str) -> frozenset[str]:
        return frozenset(m.token for m in mentions(text, self._values, self._today))

    def _needed(self, example: Example) -> frozenset[str]:
        tokens = json.loads(example.plan) if example.sql else []
        return frozenset(t for t in tokens if t[:2] in _TOKENS_KEPT)

    def issues(self) -> tuple[Issue, ...]:
        """One for each reason."""
        return tuple(
            Issue(Level.INFO, "teacher", f"left out: {why}: {count:,}", "")
            for why, count in sorted(self.rejected.items())
        )


def _senses(text: str) -> tuple[bool, ...]:
    return tuple(bool(each.search(text.lower())) for each in _SENSES)


def _told(schema: ProjectSchema, name: str) -> list[str]:
    """A table and its neighbours in words of the schema: no value, nothing personal, no docs."""
    near = {edge.to_table for edge in schema.joins if edge.table == name}
    lines = []
    for table in schema.tables:
        if table.name == name or table.name in near:
            columns = [f"{c.name} {c.type.lower()}" for c in table.columns if not c.personal]
            lines.append(f"table {table.relation} ({', '.join(columns)})")
    for edge in schema.joins:
        if edge.table == name and edge.to_table in near:
            pairs = zip(edge.columns, edge.to_columns, strict=True)
            on = " and ".join(f"{name}.{a} = {edge.to_table}.{b}" for a, b in pairs)
            lines.append(f"join {on}")
    return lines


def _lines(text: str) -> list[str]:
    """The lines of an answer without bullets and quotes around them."""
    stripped = (_BULLET.sub("", line, count=1).strip() for line in text.splitlines())
    bare = (line[1:-1].strip() if _QUOTED.match(line) else line for line in stripped)
    return [line for line in bare if line]


def _pair(line: str) -> tuple[str, str] | None:
    try:
        found = json.loads(line.removesuffix(","))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    question, sql = found.get("question"), found.get("sql")
    if not (isinstance(question, str) and isinstance(sql, str) and question.strip()):
        return None
    return question.strip(), sql.strip().removesuffix(";").strip()


def _normal(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _reworded(example: Example, question: str) -> Example:
    identity = hashlib.sha256(f"{question}\n{example.plan}".encode()).hexdigest()[:16]
    return replace(
        example, id=identity, question=question, template=f"teacher of {example.template}"
    )


def _proposed(question: str, sql: str) -> Example:
    identity = hashlib.sha256(f"{question}\n{sql}".encode()).hexdigest()[:16]
    return Example(identity, "train", 2, "proposed", question, sql, "", "teacher proposal", "")
