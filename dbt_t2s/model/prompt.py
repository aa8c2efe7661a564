"""The one prompt: what a language model reads before it writes SQL, and how its answer is read.

Training and asking build their text here and nowhere else: a string that differs between the two
is a silent loss of accuracy. Only the standard library is used, so that this file can be copied to
a bare GPU machine together with the training code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REFUSE = "REFUSE:"
UNKNOWN_MISSING = "the data does not hold what the question asks for"

_TASKS = {
    "sql": ("Write one SQL query that answers the question", "SQL"),
    "plan": ("Write the query plan that answers the question", "plan"),
}
_SHOWN = " from the tables below. Use only these tables, columns, joins and metrics."
# A model that was taught one schema knows it without being told.
_KNOWN = " from the tables of this project, which you know by heart."
_ELSE = f"If the tables do not hold what is asked for, answer `{REFUSE} ` and name what is missing."
_MEND = "An earlier answer was wrong:\n{sql}\nWhat came of it: {message}\nAnswer again, rightly."
_READ = (
    "Read the SQL query below over these tables. Answer with the question that it answers alone."
)
_PLAIN_CUE = "\n\nAnswer:\n"
_FENCE = re.compile(r"```[ \t]*\w*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """A model's answer: SQL, or what it says is missing; exactly one is not empty."""

    sql: str
    refusal: str = ""


@dataclass(frozen=True)
class Wrong:
    """An answer that was wrong, and what running it gave: an error, or how the result differs."""

    sql: str
    message: str


def instruction(language: str, *, shown: bool) -> str:
    """What the model is asked to do: ``language`` is sql or plan, ``shown`` says whether the
    prompt holds tables."""
    task, name = _TASKS[language]
    return f"{task}{_SHOWN if shown else _KNOWN} Answer with the {name} alone. {_ELSE}"


@dataclass(frozen=True)
class Said:
    """A question of the conversation so far, and the answer (SQL or a plan) that it got."""

    question: str
    answer: str


def build_prompt(
    question: str,
    schema_lines: Sequence[str],
    wrong: Wrong | None = None,
    language: str = "sql",
    before: Sequence[Said] = (),
) -> tuple[dict[str, str], ...]:
    """The chat that asks for SQL or a plan; with ``wrong``, for better SQL than that.

    No system turn: several model families' chat templates reject one. What was ``before`` are
    turns of their own, and the task is told in the first.
    """
    shown = any(line.startswith("table ") for line in schema_lines)
    asked = instruction("sql" if wrong else language, shown=shown)
    schema_text = "\n".join(schema_lines)
    questions = [f"Question: {_one_line(q)}" for q in (*(s.question for s in before), question)]
    questions[0] = f"{asked}\n\n{schema_text}\n\n{questions[0]}"
    if wrong is not None:
        told = _MEND.format(sql=wrong.sql.strip(), message=_one_line(wrong.message))
        questions[-1] = f"{questions[-1]}\n\n{told}"
    chat: list[dict[str, str]] = []
    for said, content in zip(before, questions, strict=False):
        chat.append({"role": "user", "content": content})
        chat.append({"role": "assistant", "content": said.answer.strip()})
    return (*chat, {"role": "user", "content": questions[-1]})


def build_reading(sql: str, schema_lines: Sequence[str]) -> tuple[dict[str, str], ...]:
    """The chat that asks what a query asks; used in training alone."""
    schema_text = "\n".join(schema_lines)
    return ({"role": "user", "content": f"{_READ}\n\n{schema_text}\n\nSQL:\n{sql.strip()}"},)


def plain_prompt(messages: Sequence[Mapping[str, str]]) -> str:
    """The same chat for a tokenizer without a chat template."""
    return "\n\n".join(message["content"] for message in messages) + _PLAIN_CUE


def answer_text(sql: str, missing: str = "") -> str:
    """What the model is taught to write: the SQL, or the refusal when there is none."""
    if sql.strip():
        return sql.strip().removesuffix(";").rstrip()
    return f"{REFUSE} {_one_line(missing) or UNKNOWN_MISSING}"


def parse_answer(text: str) -> Answer:
    """The answer in a model's text, with Markdown fences and a closing semicolon taken off."""
    fenced = _FENCE.search(text)
    body = (fenced.group(1) if fenced else text).strip().removesuffix(";").rstrip()
    if body.startswith(REFUSE):
        return Answer("", _one_line(body.removeprefix(REFUSE)) or UNKNOWN_MISSING)
    if not body:
        return Answer("", "the model gave no answer")
    return Answer(body)


def _one_line(text: str) -> str:
    return " ".join(text.split())
