"""Error recovery: plausible wrong SQL, what really came of running it, and the right SQL.

The mistakes are made on the parse tree of an example's own SQL, one at a time. One is kept only if
the warehouse refuses it, or if on some instance its result is not the right one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from random import Random

from dbt_t2s import sql as language
from dbt_t2s.corpus.examples import Example
from dbt_t2s.corpus.lessons import Recovery
from dbt_t2s.corpus.mistakes import mistakes
from dbt_t2s.duck import Execute, QueryError, Rows
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.sql import SqlError, exp

MOST = 400  # rows: a tenth of a usual corpus
_TRIES = 3  # mistakes tried for one example
_LONGEST = 300  # characters of a message
_SHOWN = 2  # differing rows shown of either result

# (kind, SQL): near misses of a query, most of which run.
NearMisses = Callable[[str], Iterable[tuple[str, str]]]
# (the right result, the other one, the right SQL): whether they answer alike.
Same = Callable[[Rows, Rows, str], bool]


def recoveries(
    examples: Sequence[Example],
    schema: ProjectSchema,
    executes: Sequence[Execute],
    same: Same,
    near_misses: NearMisses = lambda _: (),
    *,
    seed: int = 0,
    most: int = MOST,
) -> tuple[Recovery, ...]:
    """Up to ``most`` recoveries over the training examples; of each kind about as many.

    ``executes`` runs SQL of the schema's dialect, one callable for each instance, at least one.
    The same examples and seed give the same rows.
    """
    asked = [each for each in examples if each.split == "train" and each.sql]
    Random(f"recovery {seed}").shuffle(asked)
    found: list[Recovery] = []
    kinds: Counter[str] = Counter()
    trial = _Trial(schema, executes, same)
    for example in asked:
        if len(found) >= most:
            break
        made = list(_wrong(example, schema, near_misses))
        Random(f"{seed} {example.id}").shuffle(made)
        made.sort(key=lambda pair: kinds[pair[0]])
        for kind, wrong in made[:_TRIES]:
            message = trial.message(example.sql, wrong)
            if message:
                kinds[kind] += 1
                found.append(_recovery(example, kind, wrong, message))
                break
    return tuple(found)


def said(error: QueryError) -> str:
    """A database's error as a model reads it: its kind and message on one line, not too long."""
    # DuckDB quotes the statement after a blank line: it is known, and in other words than ours.
    message = error.message.partition("\n\nLINE ")[0]
    line = f"{error.kind}: {' '.join(message.split()) or 'no reason given'}"
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _wrong(
    example: Example, schema: ProjectSchema, near_misses: NearMisses
) -> Iterable[tuple[str, str]]:
    """(kind, SQL) of every mistake that the example's SQL has room for."""
    try:
        yield from mistakes(example.sql, schema)
        yield from near_misses(example.sql)
    except SqlError:
        return  # SQL that only MetricFlow can write may be more than the parser reads


def _recovery(example: Example, kind: str, wrong: str, message: str) -> Recovery:
    identity = hashlib.sha256(f"{example.question}\n{wrong}".encode()).hexdigest()[:16]
    return Recovery(identity, example.split, example.question, wrong, message, example.sql, kind)


class _Trial:
    """Runs wrong SQL beside the right one on every instance; right results are kept."""

    def __init__(self, schema: ProjectSchema, executes: Sequence[Execute], same: Same) -> None:
        self._executes, self._same, self._dialect = executes, same, schema.dialect
        self._gold: dict[str, list[Rows | QueryError]] = {}
        columns = [column for table in schema.tables for column in table.columns]
        self._personal = frozenset(c.name.lower() for c in columns if c.personal)

    def message(self, sql: str, wrong: str) -> str:
        """What came of ``wrong``; empty where nothing wrong did, or where it may not be shown."""
        private = self._shows_personal(wrong) or self._shows_personal(sql)
        for gold, execute in zip(self._right(sql), self._executes, strict=True):
            if isinstance(gold, QueryError) or gold.truncated:
                continue
            got = execute(wrong)
            if isinstance(got, QueryError):
                # An error while running may quote a value.
                return "" if private and got.kind == "runtime" else said(got)
            if not self._same(gold, got, sql):
                return difference(gold, got, values=not private)
        return ""

    def _right(self, sql: str) -> list[Rows | QueryError]:
        if sql not in self._gold:
            self._gold[sql] = [execute(sql) for execute in self._executes]
        return self._gold[sql]

    def _shows_personal(self, sql: str) -> bool:
        if not self._personal:
            return False
        try:
            tree = language.parse_one(sql, self._dialect)
        except SqlError:
            return True
        stars = any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star))
        return stars or any(
            node.name.lower() in self._personal for node in tree.find_all(exp.Column)
        )


def difference(gold: Rows, got: Rows, *, values: bool = True) -> str:
    """How a result differs from the right one, on one line; no value is shown unless ``values``."""
    parts: list[str] = []
    if len(gold.columns) != len(got.columns):
        parts.append(f"{len(got.columns)} columns instead of {len(gold.columns)}")
    if len(gold.rows) != len(got.rows):
        parts.append(f"{len(got.rows)} rows instead of {len(gold.rows)}")
    if values:
        for name, one, other in (("only here", got, gold), ("missing", gold, got)):
            rest = Counter(map(_row, one.rows)) - Counter(map(_row, other.rows))
            if rest:
                parts.append(f"{name}: {'; '.join(list(rest)[:_SHOWN])}")
    line = ", ".join(parts) or (
        "another order" if _sorted(gold) == _sorted(got) else "other values"
    )
    whole = f"wrong result: {line}"
    return whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 1]}…"


def _row(row: tuple[object, ...]) -> str:
    return "(" + ", ".join("null" if value is None else str(value) for value in row) + ")"


def _sorted(rows: Rows) -> list[str]:
    return sorted(map(_row, rows.rows))
