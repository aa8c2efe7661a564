"""The plan that a right answer comes to, in the form that its question can bring a model to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import product

from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.link import ValueIndex, mentions
from dbt_t2s.query.plan import Plan, canonical
from dbt_t2s.query.sql_plans import Converter
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.sql import transpile

Tokens = tuple[str, ...]
RunEach = Callable[[str], tuple[Rows | QueryError, ...]]
_SAID = ("v:", "d:", "n:", "s:")
# Whole numbers: more than 0 is at least 1.
_STEPS = {"GE": ("GT", -1), "GT": ("GE", 1), "LE": ("LT", 1), "LT": ("LE", -1)}
_MOST_TRIED = 40
# A comparison, what it compares, and its number lie this close together.
_COMPARED = 4


class Planner:
    """Finds plans over one schema; ``run`` gives a query's rows on every instance."""

    def __init__(self, schema: ProjectSchema, run: RunEach, today: date) -> None:
        self._schema = schema
        self._run = run
        self._today = today
        self._values = ValueIndex(schema)
        self._binder = Binder(schema)
        self._found: dict[str, tuple[Rows | QueryError, ...]] = {}
        self._named = Converter(schema, alike=self._alike)

    def plans(self, question: str, sql: str) -> tuple[Tokens, ...]:
        """The plans that answer ``question`` as ``sql`` does, the shortest first.

        NotConvertedError says why there is none: no plan says it, or the question does not say
        what the plan needs.
        """
        plan = canonical(self._named.plan(sql))
        found: dict[Tokens, None] = {}
        forms = [plan, canonical(self._named.plan(sql, short=False))]
        unsaid = ""
        for form in forms:
            for tokens in self._sayable(question, form):
                if self.gives(tokens, sql):
                    found.setdefault(tokens)
            unsaid = unsaid or self._unsaid(question, to_tokens(form))
        if found:
            return tuple(found)
        if unsaid:
            raise NotConvertedError(f"the question does not say {unsaid} in words that are known")
        raise NotConvertedError("no plan gives the same rows")

    def gives(self, tokens: Tokens, sql: str) -> bool:
        """Whether a plan gives what ``sql``, in the project's dialect, gives on every instance."""
        try:
            plan = from_tokens(tokens)
            made = self._binder.sql(plan) if plan else ""
        except QueryPlanError:
            return False
        return bool(made) and self._same(sql, transpile(made, "duckdb", self._schema.dialect))

    def said(self, question: str) -> frozenset[str]:
        """The tokens of values, dates, numbers and texts that the question brings."""
        return frozenset(m.token for m in mentions(question, self._values, self._today))

    def _unsaid(self, question: str, tokens: Tokens) -> str:
        missing = [t for t in tokens if t[:2] in _SAID and t not in self.said(question)]
        return missing[0].partition("=")[2] or missing[0][2:] if missing else ""

    def _sayable(self, question: str, plan: Plan) -> Iterator[Tokens]:
        """The plan, and what is near it, where the question says all that it needs."""
        said = self.said(question)
        yielded = 0
        for each in (plan, *_with_less(plan, said)):
            choices = list(_choices(to_tokens(each), said))
            for tokens in map(_flat, product(*choices)) if choices else ():
                if all(t[:2] not in _SAID or t in said for t in tokens):
                    yield tokens
                    yielded += 1
                    if yielded == _MOST_TRIED:
                        return

    def _alike(self, one: str, other: str) -> bool:
        dialect = self._schema.dialect
        return self._same(*(transpile(each, "duckdb", dialect) for each in (one, other)))

    def _same(self, one: str, other: str) -> bool:
        first, second = self._rows(one), self._rows(other)
        ordered, keys = is_ordered(one, self._schema.dialect), sort_keys(one, self._schema.dialect)
        return len(first) == len(second) and all(
            isinstance(a, Rows) and isinstance(b, Rows) and compare(a, b, ordered, keys).equal
            for a, b in zip(first, second, strict=True)
        )

    def _rows(self, sql: str) -> tuple[Rows | QueryError, ...]:
        if sql not in self._found:
            self._found[sql] = self._run(sql)
        return self._found[sql]


def _with_less(plan: Plan, said: frozenset[str]) -> Iterator[Plan]:
    """The plan without a condition that the question does not say: a rule may imply it."""
    for pred in plan.where:
        of = to_tokens(Plan((), (pred,)))
        if any(token[:2] in _SAID and token not in said for token in of):
            yield replace(plan, where=tuple(p for p in plan.where if p != pred))


def _choices(tokens: Tokens, said: frozenset[str]) -> Iterator[Sequence[Tokens]]:
    """For each token what may stand there: itself, or what the question says of its kind.

    A comparison and its number are one place: more than 0 is at least 1.
    """
    at = 0
    while at < len(tokens):
        token = tokens[at]
        step = _STEPS.get(token)
        number = next((i for i in range(at + 1, len(tokens)) if tokens[i][:2] == "n:"), 0)
        if step and number and number - at <= _COMPARED and _is_unsaid(tokens[number], said):
            other = f"n:{int(tokens[number][2:]) + step[1]}"
            between = tokens[at + 1 : number]
            yield [tokens[at : number + 1], (step[0], *between, other)]
            at = number + 1
            continue
        yield [(token,), *((each,) for each in sorted(said) if _may_be(each, token, said))]
        at += 1


def _is_unsaid(token: str, said: frozenset[str]) -> bool:
    return token not in said and token[2:].lstrip("-").isdigit()


def _may_be(other: str, token: str, said: frozenset[str]) -> bool:
    """Whether ``other`` may be how the question says what ``token`` says."""
    if token in said or token[:2] not in _SAID or other[:2] != token[:2]:
        return False
    if token[:2] == "v:":
        return other.partition("=")[2].lower() == token.partition("=")[2].lower()
    return token[:2] in ("d:", "s:")


def _flat(parts: Sequence[Tokens]) -> Tokens:
    return tuple(token for part in parts for token in part)
