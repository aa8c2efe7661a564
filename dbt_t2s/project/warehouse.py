"""The project's own warehouse, whatever its adapter, asked through this package's dbt macros."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.errors import ProjectError
from dbt_t2s.project import artifacts, formats, values
from dbt_t2s.project.artifacts import Node, section, text
from dbt_t2s.project.data import Data
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.found import Found
from dbt_t2s.project.operations import PACKAGE, Operations
from dbt_t2s.project.schema import Issue, Level
from dbt_t2s.project.values import ColumnProfile, Profile, Wanted

WAREHOUSE = "warehouse"
MACROS = ("t2s_query", "t2s_profile", "t2s_schema_snapshot")

# The warehouse itself ends a query after so many seconds, where it knows such a limit; the process
# is ended somewhat later.
QUERY_S = 120
QUERY_ROWS = 1000

# After so many failures in a row it is asked for nothing but an answer, and given up without one.
PATIENCE = 3


@contextmanager
def open_data(project: DbtProject, rows: int = QUERY_ROWS) -> Iterator[Data | Issue]:
    """The warehouse's data, or why there is none: dbt, the macros or the connection are missing.

    ``rows`` is how many come back from one query at most.
    """
    with ExitStack() as stack:
        yield _missing(project) or _opened(project, stack, rows)


def is_unread(issues: Sequence[Issue]) -> bool:
    """Whether the warehouse did not answer, which may be otherwise the next time."""
    return any(each.where == WAREHOUSE for each in issues)


def _missing(project: DbtProject) -> Issue | None:
    """What to add to the project that has not all the macros."""
    known = section(artifacts.read(project.target_path).manifest, "macros")
    absent = [name for name in MACROS if f"macro.{PACKAGE}.{name}" not in known]
    if not absent:
        return None
    if len(absent) < len(MACROS):
        message = f"its data was not looked at: the macros of {PACKAGE} are older than dbt-t2s"
        return Issue(Level.WARNING, "packages.yml", message, "dbt deps --upgrade")
    return Issue(
        Level.WARNING,
        "packages.yml",
        f"its data was not looked at: that needs the macros of {PACKAGE}; add to packages.yml:\n"
        f"packages:\n  - local: {_package_folder()}",
        "dbt deps && dbt-t2s distill",
    )


def _package_folder() -> Path:
    """Where the macros lie: in the checkout, or where pip put them."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "dbt_project.yml").is_file():
        return checkout
    return Path(sysconfig.get_path("data")) / "share" / PACKAGE


def _opened(project: DbtProject, stack: ExitStack, rows: int) -> Data | Issue:
    try:
        operations = stack.enter_context(Operations(project, call_s=QUERY_S * 1.25))
    except ProjectError as error:
        message = f"the data was not looked at: {error.what}"
        return Issue(Level.WARNING, WAREHOUSE, message, error.hint)
    warehouse = Warehouse(operations, rows=rows)
    answer = warehouse.execute("select 1 as one")
    if isinstance(answer, QueryError):
        message = f"cannot be reached, so the data was not looked at: {answer.message}"
        return Issue(Level.WARNING, WAREHOUSE, message, "dbt debug && dbt-t2s distill")
    return Data(warehouse.execute, warehouse.columns, warehouse.look)


class Warehouse:
    """What ``Data`` asks, by macros. Each answer is a value, an error too."""

    def __init__(
        self, operations: Operations, query_s: int = QUERY_S, rows: int = QUERY_ROWS
    ) -> None:
        self._operations = operations
        self._rows = rows
        self._query_s = query_s
        self._failures = 0
        self._lost: QueryError | None = None

    def execute(self, sql: str) -> Rows | QueryError:
        """The rows of one SELECT that only reads, without types: dates come as ISO texts."""
        answers = self._call("t2s_query", sql=sql, limit=self._rows, timeout=self._query_s)
        if isinstance(answers, QueryError):
            return answers
        columns = tuple(str(name) for name in answers[0]["columns"])
        rows = tuple(tuple(row) for row in answers[0]["rows"])
        return Rows(columns, ("",) * len(columns), rows, bool(answers[0]["truncated"]))

    def columns(self, node: Node, listed: Sequence[Found]) -> tuple[Found, ...] | QueryError:
        """Those that the catalog lists; the warehouse is asked where it lists none."""
        if listed:
            return tuple(listed)
        answers = self._call("t2s_schema_snapshot", tables=[text(node, "unique_id")])
        if isinstance(answers, QueryError):
            return answers
        listing = answers[0].get("columns", ())
        return tuple(Found(str(name), str(kind), WAREHOUSE) for name, kind in listing)

    def look(
        self, unique_id: str, relation: str, wanted: Sequence[Wanted], rows: int
    ) -> tuple[Profile, tuple[Issue, ...]]:
        """The table's profile by one query (one per 50 columns); see ``values.look``."""
        answers = self._call(
            "t2s_profile",
            tables=[unique_id],
            columns={unique_id: [_asked(each) for each in wanted]},
            rows=rows,
            timeout=self._query_s,
        )
        if isinstance(answers, QueryError):
            return Profile(), (values.unread(unique_id, answers.message),)
        answer = answers[0]
        if "error" in answer:
            name = unique_id.split(".")[2]
            issue = Issue(Level.WARNING, unique_id, answer["error"], f"dbt build --select {name}")
            return Profile(), (issue,)
        columns = zip(wanted, answer["columns"], strict=True)
        sampled = answer["seen"] != answer["rows"]
        profile = Profile(
            answer["rows"],
            tuple(_column(want, seen, sampled) for want, seen in columns),
            answer["seen"],
        )
        return profile, (
            values.sampled(unique_id, answer["rows"], answer["seen"]),
        ) if sampled else ()

    def _call(self, macro: str, **arguments: object) -> tuple[Any, ...] | QueryError:
        """At least one answer; once the warehouse has gone silent, no more is asked."""
        if self._lost is not None:
            return self._lost
        answers = self._operations.call(macro, **arguments)
        if not isinstance(answers, QueryError):
            self._failures = 0
            return answers or QueryError("runtime", f"{macro} gave no answer")
        self._failures += 1
        if self._failures >= PATIENCE:
            self._failures = 0
            probe = self._operations.call("t2s_query", sql="select 1 as one")
            if isinstance(probe, QueryError):
                message = f"the warehouse no longer answers: {probe.message}"
                self._lost = QueryError(probe.kind, message)
        return answers


def _asked(wanted: Wanted) -> dict[str, str]:
    look = "counts" if wanted.private else "shapes" if wanted.key else "values"
    return {"name": wanted.name, "kind": wanted.kind.value, "look": look}


def _column(wanted: Wanted, seen: Mapping[str, Any], sampled: bool) -> ColumnProfile:
    listed = tuple(str(value) for value, _ in seen["values"])
    return ColumnProfile(
        name=wanted.name,
        filled=seen["filled"],
        distinct=seen["distinct"],
        minimum=seen["minimum"],
        maximum=seen["maximum"],
        values=listed,
        values_complete=bool(listed) and len(listed) == seen["distinct"] and not sampled,
        format=formats.common({str(shape): count for shape, count in seen["shapes"]}),
    )
