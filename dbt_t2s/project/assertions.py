"""What one dbt test asserts, as dbt itself and the known test packages write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.project import roles
from dbt_t2s.project.artifacts import Node, items, section, text

_REF = re.compile(r"""ref\(\s*(?:['"][^'"]+['"]\s*,\s*)?['"]([^'"]+)['"]""")
_QUOTES = '"`[]'
# What makes a tested "column" an expression, as dbt lets people write combined keys.
_EXPRESSION = re.compile(r"[(|+]")


@dataclass(frozen=True)
class Fact:
    """One thing that ``node`` (a test, a constraint's model) says about ``subject``'s columns.

    ``kind`` is unique, not_null, accepted_values, points_at, range, expression or primary_key;
    ``maybe_unique`` and ``maybe_points_at`` are what is said, but checked by nobody (an incremental
    model's unique_key, a constraint that is not enforced, a test of some rows only). Names are as
    written there. ``expression`` is SQL over the subject's columns that holds for every row,
    ``role`` what people call a reference (``ship date``), empty where nobody says.
    """

    kind: str
    subject: str
    columns: tuple[str, ...]
    node: str
    values: tuple[str, ...] = ()
    target: str = ""
    target_columns: tuple[str, ...] = ()
    minimum: str = ""
    maximum: str = ""
    expression: str = ""
    role: str = ""


@dataclass(frozen=True)
class Assertion:
    """A generic test with its arguments, wherever this dbt version keeps them."""

    node: str
    subject: str
    column: str
    arguments: Node
    parents: tuple[str, ...]
    is_partial: bool
    role: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The tested column, or those of a tested expression; none where it cannot be read."""
        return _columns_of(self.column)

    def names(self, *keys: str) -> tuple[str, ...]:
        """Column names under the first of ``keys`` that has any: a list or a single one."""
        for key in keys:
            found = items(self.arguments, key) or (text(self.arguments, key),)
            names = tuple(str(each).strip(_QUOTES) for each in found if str(each).strip())
            if names:
                return names
        return ()

    @property
    def target(self) -> str:
        """The other node that a relationship names; the subject where it names itself."""
        return next((each for each in self.parents if each != self.subject), self.subject)


def facts(test: Node) -> tuple[Fact, ...]:
    """What the test says; nothing where it is no known one or says nothing about a column."""
    assertion = _read(test)
    reader = _READERS.get(text(section(test, "test_metadata"), "name"))
    if reader is None or not assertion.subject:
        return ()
    return tuple(reader(assertion))


def is_cut(test: Node) -> bool:
    """Whether one of dbt's own tests lacks its arguments: Fusion's previews wrote none of them."""
    wanted = _NEEDED.get(text(section(test, "test_metadata"), "name"))
    return wanted is not None and not _read(test).arguments.get(wanted)


def _read(test: Node) -> Assertion:
    kwargs = section(test, "test_metadata", "kwargs")
    arguments = {**kwargs, **section(kwargs, "arguments")}
    parents = tuple(str(each) for each in items(section(test, "depends_on"), "nodes"))
    column = text(arguments, "column_name") or text(test, "column_name")
    # A test under a condition speaks of some rows only.
    conditions = (section(test, "config").get("where"), arguments.get("where"))
    partial = any((*conditions, arguments.get("row_condition"), arguments.get("from_condition")))
    subject = text(test, "attached_node") or _subject(text(arguments, "model"), parents)
    return Assertion(
        node=text(test, "unique_id"),
        subject=subject,
        column=column.strip(_QUOTES),
        arguments=arguments,
        parents=parents,
        is_partial=partial,
        role=roles.of_test(test, subject),
    )


def _columns_of(written: str) -> tuple[str, ...]:
    """``(country || '-' || id)`` → (country, id); a name is itself, whatever it is made of."""
    if not _EXPRESSION.search(written):
        return (written,) if written else ()
    try:
        return tuple(name for _, name in sql.columns_read(written, ""))
    except sql.SqlError:
        return ()  # SQL of another dialect: it says nothing that can be used


def _subject(model: str, parents: tuple[str, ...]) -> str:
    """The tested node of a manifest that does not say it: the parent that ``model`` refers to."""
    named = _REF.search(model)
    if named is not None:
        for each in parents:
            if each.split(".")[2:3] == [named.group(1)]:
                return each
    return parents[-1] if parents else ""


def _unique(test: Assertion, columns: tuple[str, ...]) -> Iterator[Fact]:
    if columns:
        kind = "maybe_unique" if test.is_partial else "unique"
        yield Fact(kind, test.subject, columns, test.node)


def _column_unique(test: Assertion) -> Iterator[Fact]:
    """Where an expression is unique, so are its columns together."""
    yield from _unique(test, test.columns)


def _grouped_unique(test: Assertion) -> Iterator[Fact]:
    """Values that are distinct in each group, as those that go on step by step."""
    groups = test.names("group_by_columns", "group_by")
    if test.columns and _number(test.arguments.get("interval", 1)) != 0.0:
        yield from _unique(test, tuple(dict.fromkeys((*groups, *test.columns))))


def _increasing(test: Assertion) -> Iterator[Fact]:
    """Rows in another column's order may jump back over a NULL."""
    ordered = test.names("sort_column") in ((), (test.column,))
    if ordered and test.arguments.get("strictly") is not False:
        yield from _grouped_unique(test)


def _all_distinct(test: Assertion) -> Iterator[Fact]:
    """A share of distinct values says that they are unique if it is one."""
    if _number(test.arguments.get("min_value")) == 1.0:
        yield from _grouped_unique(test)


def _exclusive_ranges(test: Assertion) -> Iterator[Fact]:
    """Ranges that neither overlap nor are empty begin at different places."""
    groups = [_columns_of(each) for each in test.names("partition_by")]
    names = (*(name for group in groups for name in group), *test.names("lower_bound_column"))
    if test.names("lower_bound_column") and not test.arguments.get("zero_length_range_allowed"):
        yield from _unique(test, tuple(dict.fromkeys(names)))


def _combination_unique(test: Assertion) -> Iterator[Fact]:
    yield from _unique(test, test.names("combination_of_columns", "column_list"))


def _not_null(test: Assertion) -> Iterator[Fact]:
    if test.column and not test.is_partial:
        yield Fact("not_null", test.subject, (test.column,), test.node)


def _not_null_proportion(test: Assertion) -> Iterator[Fact]:
    """Only a proportion of one says that every row is filled."""
    if _number(test.arguments.get("at_least")) == 1.0:
        yield from _not_null(test)


def _accepted(test: Assertion) -> Iterator[Fact]:
    listed = items(test.arguments, "values") or items(test.arguments, "value_set")
    if test.column and listed and not test.is_partial:
        values = tuple(plain(each) for each in listed)
        yield Fact("accepted_values", test.subject, (test.column,), test.node, values=values)


def _points_at(test: Assertion) -> Iterator[Fact]:
    """A column that holds another's values; a condition on the rows makes it no less a key."""
    yield from _pointer(test, "points_at", test.names("field"))


def _same_values(test: Assertion) -> Iterator[Fact]:
    yield from _pointer(test, "maybe_points_at", test.names("field"))


def _pointer(test: Assertion, kind: str, fields: tuple[str, ...]) -> Iterator[Fact]:
    columns, targets = test.columns, _columns_of(fields[0]) if fields else ()
    if columns and len(columns) == len(targets):
        yield _points(test, kind, columns, targets)


def _points(test: Assertion, kind: str, columns: tuple[str, ...], targets: tuple[str, ...]) -> Fact:
    return Fact(
        kind,
        test.subject,
        columns,
        test.node,
        target=test.target,
        target_columns=targets,
        role=test.role,
    )


def _primary_key(test: Assertion) -> Iterator[Fact]:
    columns = test.names("column_names", "column_name") or test.columns
    yield from _unique(test, columns)
    if not test.is_partial:
        yield from (Fact("not_null", test.subject, (name,), test.node) for name in columns)


def _unique_key(test: Assertion) -> Iterator[Fact]:
    columns = test.names("column_names", "column_name") or test.columns
    yield from _unique(test, columns)


def _foreign_key(test: Assertion) -> Iterator[Fact]:
    columns = test.names("fk_column_names", "fk_column_name") or test.names("column_name")
    fields = test.names("pk_column_names", "pk_column_name")
    if columns and len(columns) == len(fields):
        yield _points(test, "points_at", columns, fields)


def _range(test: Assertion) -> Iterator[Fact]:
    bounds = [test.arguments.get(key) for key in ("min_value", "max_value")]
    # A bound may be SQL; only numbers and quoted dates are bounds that one can name.
    minimum, maximum = (_bound(each) for each in bounds)
    if test.column and not test.is_partial and (minimum or maximum):
        yield Fact(
            "range", test.subject, (test.column,), test.node, minimum=minimum, maximum=maximum
        )


def _expression(test: Assertion) -> Iterator[Fact]:
    written = text(test.arguments, "expression").strip()
    if written and not test.is_partial:
        columns = (test.column,) if test.column else ()
        whole = f"{test.column} {written}" if test.column else written
        yield Fact("expression", test.subject, columns, test.node, expression=whole)


def _bound(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    if _number(value) is not None:
        return str(value).strip()
    quoted = re.fullmatch(r"\s*(?:cast\()?\s*'(\d{4}-\d{2}-\d{2}[^']*)'.*", str(value))
    return quoted.group(1) if quoted else ""


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def plain(value: object) -> str:
    """An accepted value as text; booleans as SQL writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


# The argument without which dbt itself runs no such test.
_NEEDED = {"accepted_values": "values", "relationships": "field"}

_READERS: Mapping[str, Callable[[Assertion], Iterator[Fact]]] = {
    # dbt
    "unique": _column_unique,
    "not_null": _not_null,
    "accepted_values": _accepted,
    "relationships": _points_at,
    # dbt_utils
    "unique_combination_of_columns": _combination_unique,
    "unique_where": _column_unique,
    "relationships_where": _points_at,
    "sequential_values": _grouped_unique,
    "mutually_exclusive_ranges": _exclusive_ranges,
    "not_null_proportion": _not_null_proportion,
    "cardinality_equality": _same_values,
    "accepted_range": _range,
    "expression_is_true": _expression,
    # dbt_expectations
    "expect_column_values_to_be_unique": _column_unique,
    "expect_compound_columns_to_be_unique": _combination_unique,
    "expect_column_proportion_of_unique_values_to_be_between": _all_distinct,
    "expect_column_values_to_be_increasing": _increasing,
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_in_set": _accepted,
    "expect_column_distinct_values_to_be_in_set": _accepted,
    "expect_column_distinct_values_to_equal_set": _accepted,
    "expect_column_values_to_be_between": _range,
    # dbt_constraints
    "primary_key": _primary_key,
    "unique_key": _unique_key,
    "foreign_key": _foreign_key,
}
