"""Compares every metric under every grouping with MetricFlow's own SQL, by execution.

    python tests/benchmarks/metrics.py PROJECT [PROJECT ...]

Each PROJECT is a dbt project built on DuckDB. Groupings are none, metric_time by day, month and
year, and each categorical dimension that MetricFlow allows. MetricFlow keeps the rows whose
dimension is NULL; the plans leave that group out, as people do ("by country"): it is left out of
both sides and counted. Rows that bear one name (two customers called Ann Lee) are one group there
and kept apart here: such groupings are counted and not compared.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dbt_t2s.console import Console
from dbt_t2s.duck import Execute, QueryError, Rows, copy_warehouse
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.project import artifacts
from dbt_t2s.project.distill import distill
from dbt_t2s.project.metrics import MetricFlow, MetricFlowError, with_ratio_aliases
from dbt_t2s.project.schema import Metric, ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.naming import display_column
from dbt_t2s.workspace import Workspace, open_workspace

GRAINS = ("day", "month", "year")
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Grouping:
    """MetricFlow's name for it, the tokens of the plan that groups so, and whether names repeat."""

    name: str
    tokens: tuple[str, ...]
    repeats: bool = False


def groupings(
    metric: Metric, flow: MetricFlow, homes: dict[str, str], schema: ProjectSchema
) -> Iterator[Grouping]:
    yield Grouping("", ())
    if metric.time_column:
        for grain in GRAINS:
            yield Grouping(f"metric_time__{grain}", (grain.upper(), "TIME"))
    seen: set[tuple[str, str]] = set()
    for name, model, expression, is_time in flow.dimensions(metric.name):
        place = (homes.get(model, ""), expression.lower())
        allowed = {(table, column.lower()): (table, column) for table, column in metric.dimensions}
        # One column by two paths is two dimensions; the plans take the shorter path.
        if is_time or place in seen or place not in allowed:
            continue
        seen.add(place)
        table, column = allowed[place]
        shown = display_column(schema.table(table))
        repeats = shown is not None and shown.name == column and not shown.unique
        yield Grouping(name, (f"c:{table}.{column}",), repeats)


def outcome(
    metric: Metric, grouping: Grouping, flow: MetricFlow, binder: Binder, execute: Execute
) -> tuple[str, str]:
    """What comparing the two gives, and the detail."""
    plan = from_tokens((*grouping.tokens, f"m:{metric.name}", "END"))
    assert plan is not None
    try:
        theirs = flow.sql([metric.name], [grouping.name] if grouping.name else [])
    except MetricFlowError as error:
        return "MetricFlow refuses", str(error)
    try:
        ours = binder.sql(plan)
    except QueryPlanError as error:
        return "no plan", str(error)
    left, right = execute(theirs), execute(ours)
    if isinstance(left, QueryError) or isinstance(right, QueryError):
        which = "MetricFlow's SQL fails" if isinstance(left, QueryError) else "ours fails"
        return which, str(left if isinstance(left, QueryError) else right)
    same = compare(left, right, ordered=False)
    if same.equal:
        return "equal", ""
    if not grouping.name:
        return "different", same.reason
    if grouping.repeats:
        return "names that repeat, not compared", ""
    bare = compare(without_nothing(left), without_nothing(right), ordered=False)
    if bare.equal:
        return "equal without empty groups", ""
    # A ratio whose numerator counts no row is NULL there and 0 here.
    zero = compare(without_nothing(with_zeros(left)), without_nothing(right), ordered=False)
    return ("equal with 0 for NULL", "") if zero.equal else ("different", bare.reason)


def without_nothing(rows: Rows) -> Rows:
    """The rows that name a group and have a number: a NULL group or a NULL metric is no answer."""
    return replace(rows, rows=tuple(r for r in rows.rows if all(v is not None for v in r)))


def with_zeros(rows: Rows) -> Rows:
    """The rows with 0 for a NULL metric, their last column."""
    return replace(rows, rows=tuple((*r[:-1], 0 if r[-1] is None else r[-1]) for r in rows.rows))


def measure(project: Path) -> None:
    console = Console(quiet=True)
    workspace = open_workspace(console, project_dir=project, profiles_dir=project)
    database = workspace.project.database
    if database is None or not database.exists():
        raise SystemExit(f"{project} is not built on DuckDB: dbt build")
    warehouse = copy_warehouse(database, workspace.warehouse_dir)
    with Sandbox(warehouse, (), limits=Limits(max_rows=MOST_ROWS)) as sandbox:
        schema = distill(
            workspace.project, as_of=workspace.settings.as_of, execute=sandbox.execute_trusted
        )
        report(workspace, schema, sandbox.execute_trusted)


def report(workspace: Workspace, schema: ProjectSchema, execute: Execute) -> None:
    read = artifacts.read(workspace.project.target_path)
    manifest, _ = with_ratio_aliases(read.semantic_manifest)
    flow = MetricFlow(manifest, schema.dialect)
    relations = {table.relation.lower(): table.name for table in schema.tables}
    homes = homes_of(read, relations, schema.dialect)
    binder = Binder(schema)
    plain = [m for m in schema.metrics if m.measure is not None or m.inputs]
    found: Counter[str] = Counter()
    for metric in plain:
        for grouping in groupings(metric, flow, homes, schema):
            what, detail = outcome(metric, grouping, flow, binder, execute)
            found[what] += 1
            if what in ("different", "ours fails", "no plan"):
                print(f"  {metric.name} by {grouping.name or 'nothing'}: {what}: {detail[:160]}")
    print(
        f"{schema.project}: {len(schema.metrics)} metrics, {len(plain)} as plain SQL; "
        f"{sum(found.values())} groupings compared: "
        + ", ".join(f"{count} {what}" for what, count in found.most_common())
    )


def homes_of(read: artifacts.Artifacts, relations: dict[str, str], dialect: str) -> dict[str, str]:
    """The table of each semantic model."""
    from dbt_t2s.project import semantics

    return {model.name: model.table for model in semantics.read(read, relations, dialect)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", type=Path, nargs="+")
    for project in parser.parse_args().projects:
        measure(project.resolve())


if __name__ == "__main__":
    main()
