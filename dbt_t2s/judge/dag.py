"""A project's models as statements for DuckDB, and the order to run them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from dbt_t2s import duck
from dbt_t2s import sql as language
from dbt_t2s.duck import Connection, QueryError
from dbt_t2s.judge import usage
from dbt_t2s.judge.layout import Layout
from dbt_t2s.judge.usage import Usage
from dbt_t2s.project.artifacts import Node, items, section, text
from dbt_t2s.sql import exp

_NOW = frozenset({"now", "today", "getdate", "sysdate", "sysdatetime", "get_current_timestamp"})
_SNAPSHOT = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")


@dataclass(frozen=True)
class Step:
    """A model ready to run: its SQL in DuckDB's dialect, or why there is none, and what it reads.

    ``relations`` are those it names that are no nodes, by the ids that ``usage`` gives them,
    ``lost`` says what of its SQL has no form in DuckDB.
    """

    node: str
    sql: str = ""
    problem: str = ""
    usage: Usage | None = None
    reads_itself: bool = False
    relations: tuple[tuple[str, tuple[str, ...]], ...] = ()
    lost: tuple[str, ...] = ()


def ordered(wanted: Iterable[str], layout: Layout) -> tuple[str, ...]:
    """The ids of ``wanted`` nodes and all above them, parents first, each relation once."""
    done: dict[str, None] = {}
    entered: set[str] = set()
    pending = [(layout.owner(each), False) for each in sorted(wanted, reverse=True)]
    while pending:
        here, ready = pending.pop()
        if ready:
            done[here] = None
        elif here not in entered:
            entered.add(here)
            pending.append((here, True))
            parents = items(section(layout.artifacts.node(here), "depends_on"), "nodes")
            above = sorted((layout.owner(str(each)) for each in parents), reverse=True)
            pending += [(each, False) for each in above]
    return tuple(done)


def step(
    node: Node,
    layout: Layout,
    dialect: str,
    as_of: date,
    columns_of: Callable[[str], frozenset[str]],
) -> Step:
    """The model read once: for what it asks of its inputs, and as a statement to run."""
    unique_id, code = text(node, "unique_id"), text(node, "compiled_code").strip()
    if text(node, "language") not in ("", "sql"):
        return Step(unique_id, problem=f"a {text(node, 'language')} model has no SQL")
    if not code:
        return Step(unique_id, problem="its compiled SQL is not in the manifest")
    others: dict[str, tuple[str, ...]] = {}

    def find(table: exp.Table) -> str:
        parts = tuple(part.name for part in table.parts if isinstance(part, exp.Identifier))
        known = layout.find(table)
        if known or not parts or not isinstance(table.this, exp.Identifier):
            return known
        others.setdefault(f"relation.{'.'.join(parts).lower()}", parts)
        return f"relation.{'.'.join(parts).lower()}"

    try:
        tree = language.parse_one(code, dialect)
        asked = usage.read(tree, find, columns_of)
        if not language.is_select(tree):
            return Step(unique_id, problem=f"a {tree.key} is no query")
        own = any(layout.find(each) == unique_id for each in tree.find_all(exp.Table))
        frozen = _freeze_time(tree, as_of)
        renamed = layout.rewrite(tree)
        # DuckDB gets its own dialect as it was written: printing it anew could change it.
        same = dialect == "duckdb" and not frozen and not renamed
        written, lost = (code.rstrip(";"), ()) if same else language.translated(tree, "duckdb")
    except language.SqlError as error:
        return Step(unique_id, problem=f"its SQL cannot be read: {duck.first_line(str(error))}")
    if node.get("resource_type") == "snapshot":
        written = _as_snapshot(written, node, as_of)
        # The columns that dbt adds are of no node above.
        added = tuple((name, ()) for name in _snapshot_columns(node))
        asked = replace(asked, outputs=(*asked.outputs, *added))
    return Step(unique_id, written, "", asked, own, tuple(others.items()), lost)


def _freeze_time(tree: exp.Expr, as_of: date) -> bool:
    """Puts the project's own day for today, so that a model puts out the same rows on any day."""
    changed = False
    for node in list(tree.find_all(exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime)):
        kind = "DATE" if isinstance(node, exp.CurrentDate) else "TIMESTAMP"
        node.replace(exp.cast(exp.Literal.string(as_of.isoformat()), kind))
        changed = True
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() in _NOW and not call.expressions:
            call.replace(exp.cast(exp.Literal.string(as_of.isoformat()), "TIMESTAMP"))
            changed = True
    return changed


def _as_snapshot(code: str, node: Node, as_of: date) -> str:
    """A snapshot's rows as after its first run: each of them is the version that holds."""
    config = section(node, "config")
    scd, updated, start, end = _snapshot_columns(node)
    when = text(config, "updated_at")
    moment = duck.quoted(when) if when else f"timestamp '{as_of.isoformat()}'"
    key = items(config, "unique_key") or ((text(config, "unique_key"),))
    parts = [duck.quoted(str(each)) for each in key if str(each).isidentifier()] or ["*columns(*)"]
    return (
        f"select *, md5(concat_ws('|', {', '.join(parts)})) as {duck.quoted(scd)},"
        f" {moment} as {duck.quoted(updated)}, {moment} as {duck.quoted(start)},"
        f" cast(null as timestamp) as {duck.quoted(end)} from ({code}\n) as snapshotted"
    )


def _snapshot_columns(node: Node) -> tuple[str, ...]:
    names = section(node, "config", "snapshot_meta_column_names")
    return tuple(text(names, each) or each for each in _SNAPSHOT)


def run(connection: Connection, target: str, sql: str) -> str:
    """Makes the table ``target`` (quoted) of a query's rows; why that failed, empty if it did not.

    A query may read what ``target`` was before. Where a value cannot be cast, as made-up ones may
    not, NULL stands for it.
    """
    problem = _create(connection, target, sql)
    if problem and ("onversion" in problem or "ould not convert" in problem):
        tree = language.parse_one(sql, "duckdb")
        for cast in list(tree.find_all(exp.Cast)):
            if type(cast) is exp.Cast:
                cast.replace(exp.TryCast(this=cast.this, to=cast.to))
        return _create(connection, target, language.to_sql(tree, "duckdb")) and problem
    return problem


def _create(connection: Connection, target: str, sql: str) -> str:
    # The same rows each time, even of a model that draws them by chance.
    duck.run(connection, "select setseed(0.5)")
    made = duck.run(connection, f"create or replace table {target} as {sql}")
    return duck.first_line(made.message) if isinstance(made, QueryError) else ""


def known_outputs(steps: Mapping[str, Step]) -> Callable[[str], frozenset[str]]:
    """The lower-case columns of the models read so far, where all are known."""

    def columns(node: str) -> frozenset[str]:
        found = steps.get(node)
        if found is None or found.usage is None or found.usage.open:
            return frozenset()
        return frozenset(name for name, _ in found.usage.outputs)

    return columns
