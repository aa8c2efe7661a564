"""Whether two results are the same answer.

Rows are compared as multisets, order only when the gold asks for one. Names and order of columns
do not count, their number does. Integers, decimals and dates compare by value, floating point to
a relative 1e-6.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from dbt_t2s.duck import Rows
from dbt_t2s.judge.parsed import parsed
from dbt_t2s.sql import exp

RELATIVE = 1e-6
ABSOLUTE = 1e-9
# Columns that hold the same values can be matched in many ways; this many are tried.
_MOST_TRIES = 2_000
# Groups of rows that differ in floating point alone are matched one to one up to this size.
_MOST_MATCHED = 200

Number = int | float | Decimal
Row = tuple[Hashable, ...]


@dataclass(frozen=True)
class Verdict:
    """``reason`` says in one line how two results differ; it is empty when they do not."""

    equal: bool
    reason: str = ""


def compare(
    gold: Rows, got: Rows, ordered: bool, keys: Sequence[int] = (), *, named: bool = False
) -> Verdict:
    """Whether ``got`` answers as ``gold`` does.

    ``ordered`` says that the gold's order is part of the answer. ``keys`` are the positions of its
    sort keys, if they are columns of the gold: rows with equal keys may then stand in any order.
    ``named`` says that the columns of the two already stand side by side.
    """
    if len(gold.columns) != len(got.columns):
        return Verdict(False, f"{len(got.columns)} columns instead of {len(gold.columns)}")
    if len(gold.rows) != len(got.rows) or gold.truncated != got.truncated:
        return Verdict(False, f"{_count(got)} rows instead of {_count(gold)}")
    if gold.truncated and not ordered:
        return Verdict(False, f"more than {len(gold.rows)} rows: too many to compare")
    left, right = plain_rows(gold), plain_rows(got)
    if not left:
        return Verdict(True)
    classes = _classes([*left, *right])
    wanted = [tuple(_key(value, classes) for value in row) for row in left]
    given = [tuple(_key(value, classes) for value in row) for row in right]
    same_rows = False
    as_they_are = [tuple(range(len(gold.columns)))]
    for order in as_they_are if named else _column_orders(wanted, given):
        moved = [tuple(row[position] for position in order) for row in right]
        moved_keys = [tuple(row[position] for position in order) for row in given]
        if not _same_multiset(left, wanted, moved, moved_keys):
            continue
        same_rows = True
        if not ordered or _same_order(left, moved, keys):
            return Verdict(True)
    return Verdict(
        False, "the rows are in another order" if same_rows else _difference(left, right)
    )


def plain_rows(found: Rows) -> list[Row]:
    """The rows with values that can be compared."""
    return [tuple(_plain(value) for value in row) for row in found.rows]


def is_ordered(sql: str, dialect: str) -> bool:
    """Whether the statement's own, outermost query has an ORDER BY."""
    return _outer_order(sql, dialect) is not None


def sort_keys(sql: str, dialect: str) -> tuple[int, ...]:
    """Where the outer ORDER BY's keys stand among the output columns; empty if not all do."""
    order = _outer_order(sql, dialect)
    query = parsed(sql, dialect).unnest()
    if order is None or not isinstance(query, exp.Select) or query.is_star:
        return ()
    outputs = [_without_alias(each) for each in query.selects]
    names = [each.alias_or_name.lower() for each in query.selects]
    found: list[int] = []
    for ordered in order.expressions:
        key = ordered.this
        if isinstance(key, exp.Literal) and not key.is_string:
            found.append(int(key.this) - 1)
        elif isinstance(key, exp.Column) and not key.table and key.name.lower() in names:
            found.append(names.index(key.name.lower()))
        elif key in outputs:
            found.append(outputs.index(key))
        else:
            return ()
    return tuple(found) if all(0 <= each < len(outputs) for each in found) else ()


def _outer_order(sql: str, dialect: str) -> exp.Expr | None:
    node = parsed(sql, dialect)
    while isinstance(node, exp.Subquery) and not node.args.get("order"):
        node = node.this
    order = node.args.get("order")
    return order if isinstance(order, exp.Expr) else None


def _without_alias(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Alias) else node


def _count(rows: Rows) -> str:
    return f"more than {len(rows.rows)}" if rows.truncated else str(len(rows.rows))


def _plain(value: object) -> Hashable:
    """A hashable value in which things that are equal in meaning are equal in Python."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        midnight = moment.time() == datetime.min.time()
        return ("date", moment.date()) if midnight else ("moment", moment)
    if isinstance(value, date):
        return ("date", value)
    if isinstance(value, bool):
        # True == 1 in Python; a flag is not a number here.
        return ("flag", value)
    if isinstance(value, float):
        return "not a number" if math.isnan(value) else value
    if isinstance(value, UUID):
        return ("text", str(value))
    if isinstance(value, str):
        return ("text", value)
    if isinstance(value, list | tuple):
        return ("list", tuple(_rounded(_plain(item)) for item in value))
    if isinstance(value, dict):
        items = ((str(key), _rounded(_plain(item))) for key, item in value.items())
        return ("struct", tuple(sorted(items, key=lambda item: item[0])))
    return value if isinstance(value, Hashable) else ("other", repr(value))


def _rounded(value: Hashable) -> Hashable:
    return float(f"{value:.6g}") if isinstance(value, float) and math.isfinite(value) else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _close(left: Hashable, right: Hashable) -> bool:
    if left == right:
        return True
    if not (isinstance(left, float) or isinstance(right, float)):
        return False
    if not (_is_number(left) and _is_number(right)):
        return False
    return math.isclose(_float(left), _float(right), rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _float(value: object) -> float:
    assert isinstance(value, int | float | Decimal)
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _classes(rows: list[Row]) -> dict[Hashable, int]:
    """Numbers that may be equal share a class; those in different classes never are.

    With floating point about, neighbours are chained, so that a class may hold numbers that are
    not close to each other: it prunes, ``_close`` decides.
    """
    numbers = {value for row in rows for value in row if _is_number(value)}
    has_floats = any(isinstance(value, float) for row in rows for value in row)
    ordered = sorted(numbers, key=_float)
    classes: dict[Hashable, int] = {}
    current = 0
    for position, number in enumerate(ordered):
        before = ordered[position - 1] if position else None
        if before is not None and not (has_floats and _near(_float(before), _float(number))):
            current += 1
        classes[number] = current
    return classes


def _near(left: float, right: float) -> bool:
    return math.isclose(left, right, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _key(value: Hashable, classes: dict[Hashable, int]) -> Hashable:
    return ("number", classes[value]) if _is_number(value) else value


def _column_orders(wanted: list[Row], given: list[Row]) -> Iterator[tuple[int, ...]]:
    """The ways to line up the given columns with the wanted ones, most natural first."""
    width = len(wanted[0])
    signatures = [Counter(row[position] for row in given) for position in range(width)]
    choices: list[list[int]] = []
    for position in range(width):
        signature = Counter(row[position] for row in wanted)
        found = [other for other in range(width) if signatures[other] == signature]
        choices.append(sorted(found, key=lambda other: (other != position, other)))
    tries = 0
    stack: list[tuple[int, ...]] = [()]
    while stack and tries < _MOST_TRIES:
        chosen = stack.pop()
        if len(chosen) == width:
            yield chosen
            continue
        tries += 1
        # The rows must already agree on the columns lined up so far.
        for other in reversed(choices[len(chosen)]):
            longer = (*chosen, other)
            if other not in chosen and _agree(wanted, given, longer):
                stack.append(longer)


def _agree(wanted: list[Row], given: list[Row], order: tuple[int, ...]) -> bool:
    if len(order) < 2:
        return True
    left = Counter(row[: len(order)] for row in wanted)
    return left == Counter(tuple(row[position] for position in order) for row in given)


def _same_multiset(
    left: list[Row], left_keys: list[Row], right: list[Row], right_keys: list[Row]
) -> bool:
    groups: dict[Row, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for row, key in zip(left, left_keys, strict=True):
        groups[key][0].append(row)
    for row, key in zip(right, right_keys, strict=True):
        groups[key][1].append(row)
    return all(_match(wanted, given) for wanted, given in groups.values())


def _match(wanted: list[Row], given: list[Row]) -> bool:
    """Whether rows that differ in numbers alone can be paired so that all pairs are close."""
    if len(wanted) != len(given):
        return False
    pairs = zip(sorted(wanted, key=_numeric), sorted(given, key=_numeric), strict=True)
    if all(close_rows(one, other) for one, other in pairs):
        return True
    if len(wanted) > _MOST_MATCHED:
        return False
    return paired(wanted, given)


def paired(wanted: list[Row], given: list[Row]) -> bool:
    """Whether each wanted row has a given one of its own that is close to it.

    Augmenting paths: exact where sorting by noisy numbers put ties in the wrong order.
    """
    owner: dict[int, int] = {}

    def place(row: int, seen: set[int]) -> bool:
        for other in range(len(given)):
            if other in seen or not close_rows(wanted[row], given[other]):
                continue
            seen.add(other)
            if other not in owner or place(owner[other], seen):
                owner[other] = row
                return True
        return False

    return all(place(row, set()) for row in range(len(wanted)))


def _numeric(row: Row) -> tuple[float, ...]:
    return tuple(_float(value) for value in row if _is_number(value))


def close_rows(left: Row, right: Row) -> bool:
    """Whether rows of the same width are equal value by value, floating point nearly so."""
    return all(_close(one, other) for one, other in zip(left, right, strict=True))


def _same_order(left: list[Row], right: list[Row], keys: Sequence[int]) -> bool:
    positions = list(keys) if keys else list(range(len(left[0])))
    return all(
        _close(one[position], other[position])
        for one, other in zip(left, right, strict=True)
        for position in positions
    )


def _difference(left: list[Row], right: list[Row]) -> str:
    if len(left) == 1:
        return "another value" if len(left[0]) == 1 else "another row"
    common = sum((Counter(left) & Counter(right)).values())
    return f"{len(left) - common} of {len(left)} rows differ"
