"""Invented projects, written for pretraining: a schema in short YAML and questions with plans.

    python -m tests.tools.pretrain.invented FOLDER/NAME.yml …

checks projects and prints what is wrong, line by line. ``NAME.yml`` holds the schema; ``NAME.txt``
beside it one question per line, ``question => plan tokens`` (``query.linear``), where a token with
spaces is written in double quotes and ``REFUSE`` stands for what the project cannot answer.
``NAME.meant`` holds questions that mean a listed value in words that share nothing with it.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.model.carried import carried
from dbt_t2s.project.schema import (
    Column,
    Join,
    Kind,
    Measure,
    Metric,
    MetricFilter,
    MetricInput,
    ProjectSchema,
    Role,
    Rule,
    Table,
)
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.grammar import Grammar, State
from dbt_t2s.query.items import Item, mention_item, schema_items
from dbt_t2s.query.linear import KEYWORDS, REFUSAL, from_tokens, to_tokens
from dbt_t2s.query.link import ValueIndex, mentions
from dbt_t2s.query.text import words

_KINDS = {
    "key": (Kind.NUMBER, Role.KEY),
    "foreign": (Kind.NUMBER, Role.FOREIGN_KEY),
    "category": (Kind.TEXT, Role.CATEGORY),
    "measure": (Kind.NUMBER, Role.MEASURE),
    "date": (Kind.DATE, Role.TIME),
    "timestamp": (Kind.TIMESTAMP, Role.TIME),
    "flag": (Kind.BOOLEAN, Role.FLAG),
    "text": (Kind.TEXT, Role.TEXT),
}
_SPEC = re.compile(r"^(\w+)(?:\s+(?!\[)([\w.-]+))?(?:\s+\[(.*)\])?$")
_AGGREGATIONS = ("sum", "average", "min", "max", "median", "count", "count_distinct")


@dataclass(frozen=True)
class Asked:
    """A question of an invented project and its plan's tokens."""

    line: int
    question: str
    tokens: tuple[str, ...]


def read_project(path: Path) -> ProjectSchema:
    """The schema that a YAML file invents; ValueError or KeyError where it is not well formed."""
    given = yaml.safe_load(path.read_text("utf-8"))
    tables = tuple(_table(name, body) for name, body in given["tables"].items())
    keys = {t.name: t.primary_key for t in tables}
    joins = tuple(
        Join(name, (column,), target, keys[target], evidence=("relationships",))
        for name, body in given["tables"].items()
        for column, spec in body["columns"].items()
        if (target := _foreign(spec))
    )
    metrics = given.get("metrics") or {}
    rules = given.get("rules") or {}
    times = {t.name: t.time_column for t in tables}
    return ProjectSchema(
        given["project"],
        "duckdb",
        tables,
        joins,
        tuple(_metric(name, body, times) for name, body in metrics.items()),
        tuple(_rule(name, body) for name, body in rules.items()),
        as_of=str(given["as_of"]),
    )


def _parts(spec: str) -> tuple[str, str, tuple[str, ...]]:
    head, _, rest = spec.partition("|")
    description, _, names = rest.partition("|")
    return (
        head.strip(),
        description.strip(),
        tuple(n.strip() for n in names.split(",") if n.strip()),
    )


def _foreign(spec: str) -> str:
    found = _SPEC.match(_parts(spec)[0])
    return found.group(2) or "" if found and found.group(1) == "foreign" else ""


def _table(name: str, body: Mapping[str, Any]) -> Table:
    columns = tuple(_column(n, spec) for n, spec in body["columns"].items())
    time = str(body.get("time") or "")
    if time and time not in {c.name for c in columns}:
        raise ValueError(f"{name}: time names no column: {time}")
    return Table(
        name,
        f'"{name}"',
        f"model.invented.{name}",
        "",
        columns,
        description=str(body.get("description") or ""),
        synonyms=tuple(body.get("synonyms") or ()),
        primary_key=tuple(c.name for c in columns if c.role is Role.KEY)[:1],
        entity=str(body["entity"]),
        time_column=time,
    )


def _column(name: str, spec: str) -> Column:
    head, description, synonyms = _parts(spec)
    found = _SPEC.match(head)
    if found is None or found.group(1) not in _KINDS:
        raise ValueError(f"{name}: cannot read {head!r}")
    kind, role = _KINDS[found.group(1)]
    values = tuple(v.strip() for v in (found.group(3) or "").split(",") if v.strip())
    empty = re.search(r"\b(empty|blank|missing|null|until|not yet|if any)\b", description.lower())
    low, high = None, None
    if ".." in (found.group(2) or ""):
        low, high = (found.group(2) or "").split("..")
    return Column(
        name,
        kind.value,
        kind,
        role,
        description=description,
        synonyms=synonyms,
        unique=role is Role.KEY,
        values=values,
        values_complete=bool(values),
        minimum=low or ("1" if role is Role.KEY else None),
        null_share=0.3 if empty else 0.0,
        maximum=high or ("60000" if role is Role.KEY else None),
    )


def _metric(name: str, body: Mapping[str, Any], times: Mapping[str, str]) -> Metric:
    label = str(body.get("label") or name.replace("_", " ").capitalize())
    synonyms = tuple(body.get("synonyms") or ())
    described = str(body.get("description") or "")
    if "ratio" in body or "difference" in body:
        operator = "/" if "ratio" in body else "-"
        left, right = body["ratio"] if operator == "/" else body["difference"]
        inputs = (MetricInput(left, left), MetricInput(right, right))
        return Metric(
            name, "derived", label, described, synonyms,
            expression=f"{left} {operator} {right}", inputs=inputs,
        )  # fmt: skip
    function = next(f for f in _AGGREGATIONS if f in body)
    table, _, column = str(body[function]).partition(".")
    measure = Measure(name, table, function, column or "1", times[table])
    where = str(body.get("where") or "")
    filters = (MetricFilter(_qualified(where, table), (table,)),) if where else ()
    return Metric(
        name, "simple", label, described, synonyms, measure, filters,
        tables=(table,), time_table=table, time_column=times[table],
    )  # fmt: skip


def _qualified(predicate: str, table: str) -> str:
    from sqlglot import exp, parse_one

    tree = parse_one(predicate, dialect="duckdb")
    for column in tree.find_all(exp.Column):
        column.set("table", exp.to_identifier(table))
    return tree.sql("duckdb")


def _rule(name: str, body: Mapping[str, Any]) -> Rule:
    return Rule(
        name,
        str(body["sentence"]),
        str(body["table"]),
        str(body["predicate"]),
        support=1,
        synonyms=tuple(body.get("synonyms") or ()),
        always=bool(body.get("always")),
    )


def read_questions(path: Path) -> Iterator[Asked | str]:
    """Each question, or what is wrong with its line."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        question, arrow, plan = line.rpartition("=>")
        if not arrow or not question.strip():
            yield f"line {number}: not `question => plan`"
            continue
        try:
            tokens = tuple(shlex.split(plan.strip(), posix=True))
        except ValueError as error:
            yield f"line {number}: {error}"
            continue
        tokens = tokens if tokens[-1:] == ("END",) else (*tokens, "END")
        yield Asked(number, question.strip(), tokens)


class Checker:
    """Says what is wrong with questions about one schema."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._schema = schema
        self._binder = Binder(schema)
        self._items = {item.token: item for item in schema_items(schema, self._binder)}
        self._values = ValueIndex(schema)
        self._listed = {
            f"v:{table.name}.{column.name}={value}"
            for table in schema.tables
            for column in table.columns
            for value in column.values
        }
        self._grammar = Grammar(schema, self._binder.graph)
        self._today = date.fromisoformat(schema.as_of)

    def problem(self, asked: Asked, meant: bool = False, before: Sequence[str] = ()) -> str:
        """Empty where the plan parses, binds, follows the grammar and can be linked; where a listed
        value of it is ``meant`` in other words, but for that. A question that follows up the plan
        ``before`` takes over what that holds."""
        if asked.tokens == REFUSAL:
            return ""
        for token in asked.tokens:
            if token[:2] in ("t:", "c:", "m:", "r:") and token not in self._items:
                return f"nothing is called {token}"
        try:
            plan = from_tokens(asked.tokens)
            assert plan is not None
            self._binder.sql(plan)
        except (QueryPlanError, KeyError) as error:
            return f"the plan does not bind: {error}"
        if to_tokens(plan) != asked.tokens:
            return f"write it as {' '.join(to_tokens(plan))}"
        found = mentions(asked.question, self._values, self._today)
        spoken, fiscal = tuple(words(asked.question)), self._schema.fiscal_year
        over = carried(asked.question, spoken, before, found, self._today, fiscal)
        found = (*found, *over)
        needed = {t for t in asked.tokens if t[:2] in ("v:", "d:", "n:", "s:")}
        missing = needed - {m.token for m in found}
        if meant and not missing & self._listed:
            return "no listed value is meant in other words"
        if missing := missing - (self._listed if meant else set()):
            have = ", ".join(m.token for m in found) or "nothing"
            return f"{', '.join(sorted(missing))} not found in the question; it mentions {have}"
        return self._ungrammatical(asked.tokens)

    def _ungrammatical(self, tokens: tuple[str, ...]) -> str:
        state = State()
        for at, token in enumerate(tokens):
            if token in KEYWORDS:
                if token not in self._grammar.keywords(state):
                    return f"the grammar does not allow {token} after {' '.join(tokens[:at])}"
                state = self._grammar.after_keyword(state, token)
                continue
            item = self._item(token)
            if not all(self._grammar.items(state, (item,))):
                return f"the grammar does not allow {token} after {' '.join(tokens[:at])}"
            state = self._grammar.after_item(state, item)
        return ""

    def _item(self, token: str) -> Item:
        return self._items.get(token) or mention_item(token, self._schema)


def check(path: Path) -> int:
    """Prints what is wrong with one project; how many problems there are."""
    try:
        schema = read_project(path)
        checker = Checker(schema)
    except (ValueError, KeyError, AttributeError, TypeError, StopIteration) as error:
        print(f"{path.name}: {type(error).__name__}: {error}")
        return 1
    files = (path.with_suffix(".txt"), path.with_suffix(".meant"))
    return sum(_check_questions(each, checker) for each in files if each.is_file())


def _check_questions(path: Path, checker: Checker) -> int:
    problems, good, seen = 0, 0, Counter[str]()
    refused = 0
    for asked in read_questions(path):
        said = asked if isinstance(asked, str) else checker.problem(asked, path.suffix == ".meant")
        if isinstance(asked, Asked):
            seen[asked.question.lower()] += 1
            if seen[asked.question.lower()] > 1:
                said = said or "asked twice"
            refused += asked.tokens == REFUSAL
        if said:
            problems += 1
            where = f"line {asked.line}: " if isinstance(asked, Asked) else ""
            print(f"{path.name} {where}{said}")
        else:
            good += 1
    print(f"{path.name}: {good} good ({refused} refusals), {problems} problems")
    return problems


if __name__ == "__main__":
    sys.exit(min(sum(check(Path(each)) for each in sys.argv[1:]), 1))
