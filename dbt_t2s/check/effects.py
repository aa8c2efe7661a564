"""What a change of the project does to each question: proven by running, not guessed.

An example's plan is written as SQL for both states; where that is other SQL, or it reads a table
whose rows a change made others, it runs on both, over the same seeds and sources. So do the saved
queries, the SQL of test questions and that of logged ones.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from dbt_t2s.check.findings import Effect, Harm
from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import QueryError, Rows, first_line
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.judge.replay import OtherRows
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.judge.suite import TestItem
from dbt_t2s.project.renames import respelled_columns
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.sql import SqlError, transpile

_Result = Rows | QueryError


@dataclass(frozen=True)
class Asked:
    """A question with its SQL in both states; ``source`` is where it is from."""

    question: str
    source: str
    before: str
    after: str


@dataclass(frozen=True)
class Warehouse:
    """A state's DuckDB file and the relations that queries may read in it."""

    file: Path
    relations: tuple[str, ...]


class BothStates:
    """Runs SQL on the warehouses of both states at once; a context manager.

    ``differing`` are the tables that hold other rows in the two. ``unproven`` counts, by reason,
    the questions that could not be compared.
    """

    def __init__(
        self,
        before: Warehouse,
        after: Warehouse,
        dialect: str,
        differing: Sequence[OtherRows],
        limits: Limits,
    ) -> None:
        self._dialect = dialect
        self._before = Sandbox(before.file, before.relations, dialect, limits)
        self._after = Sandbox(after.file, after.relations, dialect, limits)
        self._differing = tuple(differing)
        self._stack = ExitStack()
        self._pool = ThreadPoolExecutor(1)
        self.unproven: Counter[str] = Counter()

    def __enter__(self) -> BothStates:
        self._stack.enter_context(self._before)
        self._stack.enter_context(self._after)
        self._stack.enter_context(self._pool)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def effect(self, asked: Asked) -> Effect | None:
        """None where the question is answered as before."""
        if asked.before == asked.after and not self._reads_others(asked.after):
            return None
        before = self._pool.submit(self._before.execute, asked.before)
        now = self._after.execute(asked.after)
        was = before.result()
        told = (asked.question, asked.source)
        if isinstance(now, QueryError):
            if isinstance(was, QueryError) and asked.before == asked.after:
                return None  # it did not run before either
            return Effect(Harm.BROKEN, *told, first_line(now.message), asked.before, asked.after)
        if isinstance(was, QueryError):
            self.unproven[first_line(was.message)] += 1
            return None
        if was.rows == now.rows and was.truncated == now.truncated:
            return None
        ordered = is_ordered(asked.after, self._dialect)
        verdict = compare(was, now, ordered, sort_keys(asked.after, self._dialect))
        if verdict.equal:
            return None
        return Effect(Harm.CHANGED, *told, verdict.reason, asked.before, asked.after)

    def runs_after(self, sql: str) -> _Result:
        """What the SQL gives in the state as it is now."""
        return self._after.execute(sql)

    def _reads_others(self, sql: str) -> bool:
        return any(each.is_read_by(sql) for each in self._differing)


def of_items(items: Sequence[TestItem], states: BothStates) -> Iterator[Effect]:
    """Test questions none of whose golds run any more, or whose first one gives another answer."""
    for item in items:
        errors = [e for gold in item.golds if isinstance(e := states.runs_after(gold), QueryError)]
        if item.golds and len(errors) == len(item.golds):
            reason = first_line(errors[0].message)
            yield Effect(Harm.BROKEN, item.question, "test question", reason, item.golds[0])
        elif not errors and item.golds:
            gold = item.golds[0]
            found = states.effect(Asked(item.question, "test question", gold, gold))
            if found is not None:
                yield found


def of_asked(asked: Iterable[Asked], states: BothStates) -> Iterator[Effect]:
    """Questions that come with their SQL: saved queries and logged ones."""
    for each in asked:
        found = states.effect(each)
        if found is not None:
            yield found


def of_examples(
    examples: Sequence[Example],
    before: ProjectSchema,
    after: ProjectSchema,
    states: BothStates,
) -> Iterator[Effect]:
    """Examples whose plan has no SQL any more, SQL that fails, or another answer."""
    old, new = Binder(before), Binder(after)
    spelled = _spelled(before, after)
    verdicts: dict[tuple[str, str], Effect | None] = {}
    for example in examples:
        if not example.sql:
            continue
        key = (example.plan, example.sql)
        if key not in verdicts:
            tokens = tuple(json.loads(example.plan))
            now = written(new.asked(example.question), tuple(map(spelled, tokens)), after)
            if isinstance(now, QueryPlanError):
                verdicts[key] = Effect(Harm.BROKEN, "", "example", now.what, example.sql)
            else:
                was = written(old.asked(example.question), tokens, before)
                sql = example.sql if isinstance(was, QueryPlanError) else was
                verdicts[key] = states.effect(Asked("", "example", sql, now))
        found = verdicts[key]
        if found is not None:
            yield replace(found, question=example.question)


def _spelled(before: ProjectSchema, after: ProjectSchema) -> Callable[[str], str]:
    """A plan's token with its column in the capitals that it has now."""
    now: dict[str, str] = {}
    for (table, old), new in respelled_columns(before, after).items():
        now[f"c:{table}.{old}"] = f"c:{table}.{new}"
        now[f"v:{table}.{old}"] = f"v:{table}.{new}"

    def spelled(token: str) -> str:
        item, equals, value = token.partition("=")
        return f"{now.get(item, item)}{equals}{value}"

    return spelled


def written(binder: Binder, tokens: Sequence[str], schema: ProjectSchema) -> str | QueryPlanError:
    """The plan as the project's own SQL for a schema, or why there is none."""
    plan = from_tokens(tokens)
    if plan is None:
        return QueryPlanError("its plan cannot be read")
    try:
        sql = binder.sql(plan)
        return sql if schema.dialect == "duckdb" else transpile(sql, "duckdb", schema.dialect)
    except (QueryPlanError, SqlError) as error:
        return QueryPlanError(str(error).split("\n", 1)[0])
    except KeyError as missing:
        return QueryPlanError(f"there is no {missing.args[0]}")
