"""What the change does: tables with other rows, and what becomes of which questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import pipeline
from dbt_t2s.check.effects import Asked, BothStates, Warehouse, of_asked, of_examples, of_items
from dbt_t2s.check.findings import Effect
from dbt_t2s.check.state import State
from dbt_t2s.corpus.examples import Example
from dbt_t2s.instances import calendars_of, first_instance, tables_without_rows
from dbt_t2s.judge.replay import OtherRows, Replay, Side, affected_models, other_rows, replay
from dbt_t2s.judge.sandbox import Limits
from dbt_t2s.judge.suite import TestItem, read_suite
from dbt_t2s.logged import logged_questions
from dbt_t2s.project import artifacts, secrets
from dbt_t2s.project.diff import Change
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.workspace import Workspace

_LIMITS = Limits(max_rows=pipeline.COMPARED_ROWS, timeout_s=10)


@dataclass(frozen=True)
class Consequences:
    """What the change does: tables with other rows, and what became of which questions."""

    rows: tuple[Change, ...] = ()
    effects: tuple[Effect, ...] = ()
    asked: int = 0
    unproven: tuple[str, ...] = ()


def consequences(
    workspace: Workspace,
    before: State,
    after: ProjectSchema,
    examples: Sequence[Example],
    is_changed: bool,
) -> Consequences:
    """``is_changed`` says that the schemas differ: without that, and other SQL, there are none."""
    new = Side(after, secrets.scrub(artifacts.read(workspace.project.target_path)))
    told: list[str] = []
    if before.artifacts is not None:
        old = Side(before.schema, before.artifacts)
    else:
        old = replace(new, schema=before.schema)
        told.append("the state has no manifest.json: what changed models gave is not known")
    if not is_changed and not affected_models(old.artifacts, new.artifacts):
        return Consequences(unproven=tuple(told))
    data = first_instance(workspace, after)
    both = replay(old, new, data, workspace.check_dir)
    others = other_rows(both, old, new)
    told += _unknown(both, old, new)
    empty = tables_without_rows(both.after.file, after)
    if empty:
        told.append(f"{len(empty):,} tables hold no rows here: {_shortened(empty)}")
    items = _test_items(workspace, after.dialect)
    asked = [*_saved(before.schema, after), *_logged(workspace, told)]
    with BothStates(
        Warehouse(both.before.file, _readable(old)),
        Warehouse(both.after.file, _readable(new)),
        after.dialect,
        others,
        _LIMITS,
    ) as states:
        effects = (
            *of_items(items, states),
            *of_asked(asked, states),
            *of_examples(examples, before.schema, after, states),
        )
    told += [
        f"{number:,} questions could not be compared: {reason}"
        for reason, number in states.unproven.most_common()
    ]
    paths = {table.name: table.path for table in after.tables}
    rows = tuple(_row_change(each, paths[each.table]) for each in others)
    return Consequences(rows, effects, len(items) + len(asked), tuple(told))


def _readable(side: Side) -> tuple[str, ...]:
    return (*(table.relation for table in side.schema.tables), *calendars_of(side.artifacts))


def _unknown(both: Replay, before: Side, after: Side) -> list[str]:
    """The tables whose rows one state's SQL does not give here."""
    found = [
        f"what {tables[node].name} gave {when} is not known: {problem}"
        + (" (dbt compile)" if "not in the manifest" in problem else "")
        for when, problems, tables in (
            ("before", both.before.problems, before.tables),
            ("now", both.after.problems, after.tables),
        )
        for node, problem in problems.items()
        if node in tables
    ]
    return sorted(found)


def _row_change(found: OtherRows, path: str) -> Change:
    where = f"in {_shortened(found.columns)}" if found.columns else "as its values stand together"
    return Change(
        "T2S105",
        found.table,
        f"{found.table} has other rows than its SQL gave before, {where}",
        f"{found.was:,} rows",
        f"{found.now:,} rows",
        path,
    )


def _shortened(names: Sequence[str]) -> str:
    """The first few names."""
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def _test_items(workspace: Workspace, dialect: str) -> tuple[TestItem, ...]:
    path = workspace.questions_path
    if path is None or not path.is_file():
        return ()
    return read_suite(path, dialect)[0]


def _saved(before: ProjectSchema, after: ProjectSchema) -> Iterator[Asked]:
    """Saved queries of both states; one that is gone is a change, and no question any more."""
    old = {each.name: each.sql for each in before.saved_queries if each.sql}
    for each in after.saved_queries:
        if each.sql and each.name in old:
            yield Asked(each.label or each.name, "saved query", old[each.name], each.sql)


def _logged(workspace: Workspace, told: list[str]) -> Iterator[Asked]:
    """Logged questions; ``told`` gets why there are none, if that is so."""
    database = workspace.project.database
    own = workspace.warehouse_dir / database.name if database is not None else None
    if own is not None and not own.exists():
        return
    found, problem = logged_questions(workspace.project, own)
    if problem:
        told.append(f"the logged questions could not be read: {problem}")
    for question, sql in found:
        yield Asked(question, "logged question", sql, sql)
