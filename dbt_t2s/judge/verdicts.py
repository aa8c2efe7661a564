"""Whether an answer's rows are a gold's, by the files that may say so.

An answer that reads the gold's tables must agree with it on every instance. Most instances change
each table on its own, so that what is computed in one from another breaks there: an answer that
reads *other* tables may then differ and be right. Of such a pair the warehouse itself and its
``rebuilt`` files decide, in which the project's models ran over other inputs. Where the tables in
which the two differ have nothing above them in the DAG in common with the other side's, no relation
can break, and all instances are asked as ever: they show more than rebuilt files do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dbt_t2s.duck import QueryError, Rows, first_line
from dbt_t2s.judge.compare import Uncut, Verdict, compare
from dbt_t2s.judge.few_rows import without_nothing
from dbt_t2s.judge.gold_order import UncutQuery
from dbt_t2s.judge.outcomes import Cost

# Runs a statement on every instance of the warehouse.
Everywhere = Callable[[str], Sequence[Rows | QueryError]]


@dataclass(frozen=True)
class Gold:
    """A gold statement, its result on each instance and the names of the tables it reads."""

    sql: str
    results: tuple[Rows, ...]
    ordered: bool
    keys: tuple[int, ...]
    uncut: UncutQuery | None
    cost: Cost | None
    tables: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rebuilding:
    """``files`` opens the rebuilt files, None where there are none: asked when they are needed.

    ``above`` are, by the name of each table, the ids of all nodes that it is made from.
    """

    files: Callable[[], Everywhere | None]
    above: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def decides(self, gold: frozenset[str], answer: frozenset[str]) -> bool:
        """Whether the two read other tables, and of these one shares its origin with the rest."""
        apart = ((answer - gold, gold), (gold - answer, answer))
        return any(
            self.above.get(one, frozenset()) & self.above.get(other, frozenset())
            for more, theirs in apart
            for one in more
            for other in theirs
        )


def ran(sql: str, run: Everywhere) -> tuple[Rows, ...] | QueryError:
    """The statement's rows on each file, or the first error that one of them gives."""
    results: list[Rows] = []
    for result in run(sql):
        if isinstance(result, QueryError):
            return result
        results.append(result)
    return tuple(results)


def verdicts(gold: Gold, results: Sequence[Rows], run: Everywhere) -> list[Verdict]:
    """One for each instance."""
    if results is gold.results:  # the gold itself
        return [Verdict(True)] * len(results)
    pairs = list(zip(gold.results, results, strict=True))
    found = [compare(wanted, got, gold.ordered, gold.keys) for wanted, got in pairs]
    if gold.uncut is None or all(verdict.equal for verdict in found):
        return found
    whole = ran(gold.uncut.sql, run)
    if isinstance(whole, QueryError):
        return found  # with its keys it cannot run: the gold's own choice is the only one known
    return [
        compare(wanted, got, gold.ordered, gold.keys, uncut=Uncut(rows, gold.uncut.keys))
        for (wanted, got), rows in zip(pairs, whole, strict=True)
    ]


def rebuilt(gold: Gold, sql: str, run: Everywhere) -> Verdict | None:
    """What the rebuilt files say, the first difference where there is one.

    None where the gold does not run there: then they say nothing.
    """
    wanted = ran(gold.sql, run)
    if isinstance(wanted, QueryError):
        return None
    got = ran(sql, run)
    if isinstance(got, QueryError):
        return Verdict(False, f"{got.kind}: {first_line(got.message)} (on rebuilt tables)")
    found = verdicts(replace(gold, results=wanted), got, run)
    apart = next((each for each in found if not each.equal), None)
    return Verdict(False, f"{apart.reason} (on rebuilt tables)") if apart else Verdict(True)


def told_by_few(gold: Gold, sql: str, few: Everywhere) -> str:
    """How the first file of few rows tells the statement from the gold; empty where none does."""
    whole: Sequence[Rows | QueryError] | None = None
    pairs = zip(few(gold.sql), few(sql), strict=True)
    for number, (wanted, got) in enumerate(pairs):
        if isinstance(wanted, QueryError) or isinstance(got, QueryError):
            continue
        two = without_nothing(wanted), without_nothing(got)
        verdict = compare(*two, gold.ordered, gold.keys)
        if not verdict.equal and gold.uncut is not None:
            whole = whole or few(gold.uncut.sql)
            rows = whole[number]
            if isinstance(rows, QueryError):
                continue  # with its keys it cannot run: another choice may be as good
            choice = Uncut(without_nothing(rows), gold.uncut.keys)
            verdict = compare(*two, gold.ordered, gold.keys, uncut=choice)
        if not verdict.equal:
            return f"{verdict.reason} (on few rows)"
    return ""
