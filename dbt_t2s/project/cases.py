"""What a CASE that tells rows apart says: the label of each branch and when it is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.sql import exp


@dataclass(frozen=True)
class Said:
    """One label of a CASE: ``definition`` tells a person when it is given.

    ``condition`` is the one condition of its branch, empty where there are several.
    """

    label: str
    definition: str
    condition: str = ""


@dataclass(frozen=True)
class _Branch:
    """``condition`` gives ``label`` where none of the earlier ones holds; None is ELSE."""

    label: str
    condition: exp.Expr | None


def labels(case: exp.Expr, dialect: str) -> tuple[Said, ...]:
    """What ``case`` says of each of its labels; columns are told without their tables."""
    return tuple(_labelled(_branches(case), dialect))


def whole(case: exp.Expr, label: str, dialect: str) -> str:
    """When a bucket is taken, exactly, where no one condition says it."""
    equal = exp.EQ(this=case.copy(), expression=exp.Literal.string(label))
    return sql.to_sql(equal, dialect, used_up=True)


def _branches(case: exp.Expr) -> list[_Branch]:
    """The branches of a CASE in order; those that give no text have no label."""
    found: list[_Branch] = []
    for when in case.args.get("ifs") or ():
        condition = when.this
        if case.this is not None:
            condition = exp.EQ(this=case.this.copy(), expression=condition.copy())
        found.append(_Branch(_label(when.args.get("true")), condition))
    otherwise = case.args.get("default")
    found += [_Branch(_label(otherwise), None)] if otherwise is not None else []
    return found


def _labels(branches: Sequence[_Branch]) -> tuple[str, ...]:
    """The buckets' names, without those that only tidy a value's spelling (DE, de → DE)."""
    found = dict.fromkeys(each.label for each in branches if each.label)
    tidied = {
        each.label
        for each in branches
        if each.condition is not None
        and isinstance(each.condition, exp.EQ)
        and each.condition.expression.name.lower() == each.label.lower()
    }
    return tuple(label for label in found if label not in tidied)


def _label(result: exp.Expr | None) -> str:
    """The text that a branch gives; empty where it gives something else."""
    return result.name if isinstance(result, exp.Literal) and result.is_string else ""


def _labelled(branches: Sequence[_Branch], dialect: str) -> Iterator[Said]:
    """What a CASE says of each of its labels."""
    apart = _apart(branches)
    # A branch that passes a column on may give the label too.
    closed = all(each.label for each in branches)
    for label in _labels(branches):
        taken = [index for index, each in enumerate(branches) if each.label == label]
        said: list[str] = []
        for index in taken:
            condition = branches[index].condition
            if condition is None:
                said.append("where nothing else fits")
            else:
                first = index == 0 or apart
                plain = sql.bare(condition, dialect)
                said.append(
                    f"where {plain}" if first else f"where {plain} and no earlier case fits"
                )
        condition = branches[taken[0]].condition
        decides = closed and len(taken) == 1 and (taken == [0] or apart)
        alone = sql.bare(condition, dialect) if condition is not None and decides else ""
        yield Said(label, " or ".join(said), alone)


def _apart(branches: Sequence[_Branch]) -> bool:
    """Whether each branch compares the same thing to another value, so that order is nothing."""
    conditions = [each.condition for each in branches if each.condition is not None]
    equal = [each for each in conditions if isinstance(each, exp.EQ)]
    values = [each.expression for each in equal if isinstance(each.expression, exp.Literal)]
    one = len({each.this for each in equal}) == 1
    return one and len(conditions) == len(equal) == len(values) == len(set(values))
