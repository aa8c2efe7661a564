"""The DuckDB files that SQL is checked on: copies of the warehouse, made up where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from dbt_t2s import __version__, store
from dbt_t2s.duck import Rows, copy_warehouse, open_read_only, quoted, relations_of, run
from dbt_t2s.errors import StoreError
from dbt_t2s.freshness import usable
from dbt_t2s.judge import fixtures, unit_tests
from dbt_t2s.judge.expected_rows import plant as plant_expected
from dbt_t2s.judge.few_rows import make_few
from dbt_t2s.judge.fixture_inputs import stamp
from dbt_t2s.judge.fixtures import Fixtures
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.names import with_names_apart
from dbt_t2s.judge.parsed import read_by
from dbt_t2s.judge.rebuilt import make_rebuilt
from dbt_t2s.judge.relations import full_path, split_name
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.judge.witnesses import plant
from dbt_t2s.project import artifacts, secrets
from dbt_t2s.project.artifacts import Artifacts, text
from dbt_t2s.project.schema import Issue, Level, ProjectSchema
from dbt_t2s.project.tables import time_spines
from dbt_t2s.workspace import Workspace, file_stamp

# The warehouse itself and perturbed copies of it: wrong SQL rarely agrees with the gold on all.
INSTANCES = 3


@dataclass(frozen=True)
class Instances:
    """The DuckDB files that queries run on, below ``warehouse/``; the first is as it is.

    ``own`` is the copy of the project's own DuckDB file, empty where there is none. ``made_up`` are
    the tables whose rows are nobody's: no answer may show them. ``made_from`` is a stamp of what
    they were made up from, empty where none were. ``calendars`` are the relations of time spines.
    ``few`` are files of few rows of what the golds read, where rows were made for golds.
    """

    files: tuple[str, ...]
    content: str
    calendars: tuple[str, ...] = ()
    own: str = ""
    made_up: tuple[str, ...] = ()
    made_from: str = ""
    issues: tuple[Issue, ...] = ()
    few: tuple[str, ...] = ()


def instances_of(workspace: Workspace, schema: ProjectSchema) -> Instances:
    """The warehouse and its perturbed copies, made again when the data or the tables change.

    Made-up rows are made again when what they were made from changes: SQL, tests, unit tests,
    columns or seeds.
    """
    settings, folder = workspace.settings, workspace.warehouse_dir
    inputs = _inputs(workspace, schema)
    ready = usable(workspace.instances_path, Instances, inputs)
    if ready is not None and _is_whole(ready, workspace, schema):
        return ready
    first = _first(workspace, schema)
    workspace.console.issues(first.issues, file=str(workspace.instances_path))
    apart = with_names_apart(schema)
    files = make_instances(first.path, folder, apart, n=INSTANCES, seed=settings.seed)
    instances = Instances(
        files=tuple(str(file.relative_to(folder)) for file in files),
        content=_content(files[0], schema),
        calendars=calendars_of(artifacts.read(workspace.project.target_path)),
        own=first.own.name if first.own is not None else "",
        made_up=first.made_up,
        made_from=_made_from(workspace, schema) if first.made_up else "",
        issues=first.issues,
    )
    store.write_json(workspace.instances_path, instances, inputs)
    return instances


def _inputs(workspace: Workspace, schema: ProjectSchema) -> dict[str, str]:
    return {
        "source": file_stamp(workspace.project.database),
        "schema": _tables_stamp(schema),
        "settings": store.fingerprint([workspace.settings.seed, INSTANCES]),
        "version": __version__,
    }


def _tables_stamp(schema: ProjectSchema) -> str:
    return store.fingerprint([with_names_apart(schema).tables, schema.joins])


def first_instance(workspace: Workspace, schema: ProjectSchema) -> Path:
    """The warehouse as it is, without its perturbed copies; made-up rows where there is none."""
    inputs = _inputs(workspace, schema)
    ready = usable(workspace.instances_path, Instances, inputs)
    if ready is not None and _is_whole(ready, workspace, schema):
        return workspace.warehouse_dir / ready.files[0]
    own, _ = workspace.data()  # distilling said why there is none
    return own if own is not None else _made_up(workspace, schema).path


def _is_whole(ready: Instances, workspace: Workspace, schema: ProjectSchema) -> bool:
    """Whether all files are there, and made-up rows still those that would be made up."""
    return all((workspace.warehouse_dir / file).exists() for file in ready.files) and (
        not ready.made_up or ready.made_from == _made_from(workspace, schema)
    )


@dataclass(frozen=True)
class Witnesses:
    """``file``, below ``warehouse/``, is the first instance with rows made for certain golds.

    ``few`` are drawn from it.
    """

    file: str
    rows: int
    few: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        return (self.file, *self.few)


def witnessed(
    workspace: Workspace, schema: ProjectSchema, instances: Instances, golds: Sequence[str]
) -> Instances:
    """The instances to judge these golds on: the last is one with rows made for them.

    Those tell the golds from their near misses. They stay while the golds and the data do.
    """
    inputs = {
        "golds": store.fingerprint(list(golds)),
        "warehouse": instances.content,
        "schema": _tables_stamp(schema),
        "version": __version__,
    }
    folder = workspace.warehouse_dir
    path = folder / "witnesses.json"
    ready = usable(path, Witnesses, inputs)
    if ready is None or not _are_there(ready, folder):
        workspace.console.info("making rows that tell the test queries from their near misses")
        file = copy_warehouse(folder / instances.files[0], folder / "witnesses")
        today = date.fromisoformat(schema.as_of) if schema.as_of else date.today()
        apart = with_names_apart(schema)
        planted = plant(file, apart, golds, today, instances.calendars)
        read = tuple(dict.fromkeys(read_by(golds, schema.dialect)))
        few = make_few(file, folder / "few", apart, read, seed=workspace.settings.seed)
        ready = Witnesses(
            str(file.relative_to(folder)),
            planted.rows,
            tuple(str(each.relative_to(folder)) for each in few),
        )
        store.write_json(path, ready, inputs)
    return _with(instances, ready)


def _with(instances: Instances, made: Witnesses) -> Instances:
    return replace(instances, files=(*instances.files[:-1], made.file), few=made.few)


def _are_there(made: Witnesses, folder: Path) -> bool:
    return all((folder / file).exists() for file in made.files)


def last_witnessed(workspace: Workspace, instances: Instances) -> Instances:
    """The instances that the last validation judged on: none of its rows are made anew."""
    folder = workspace.warehouse_dir
    try:
        known = store.read_json(folder / "witnesses.json", Witnesses)
    except StoreError:
        return instances
    return _with(instances, known) if _are_there(known, folder) else instances


@dataclass(frozen=True)
class RebuiltFiles:
    """``files``, below ``warehouse/``, hold other inputs and what the models make of them.

    Without any, ``problem`` says why.
    """

    files: tuple[str, ...]
    problem: str = ""


def rebuilt(workspace: Workspace, schema: ProjectSchema, instances: Instances) -> RebuiltFiles:
    """The rebuilt files; they stay while the data, the models, the tests and the tables do."""
    inputs = {
        **_inputs(workspace, schema),
        "warehouse": instances.content,
        "models": _made_from(workspace, schema),
    }
    folder = workspace.warehouse_dir
    path = folder / "rebuilt.json"
    ready = usable(path, RebuiltFiles, inputs)
    if ready is not None and all((folder / file).exists() for file in ready.files):
        return ready
    workspace.console.info("running the models over other inputs, for answers from other tables")
    made = make_rebuilt(
        folder / instances.files[0], folder, schema, _read(workspace), workspace.settings.seed
    )
    if made.problem:
        message = f"no tables are rebuilt, each is changed on its own: {made.problem}"
        workspace.console.info(message)
    ready = RebuiltFiles(tuple(str(each.relative_to(folder)) for each in made.files), made.problem)
    store.write_json(path, ready, inputs)
    return ready


@dataclass(frozen=True)
class Tested:
    """``file``, below ``warehouse/``, is the first instance with the rows that unit tests expect.

    ``relations`` are the tables that hold such rows; without any there is no file.
    """

    file: str
    relations: tuple[str, ...]
    issues: tuple[Issue, ...] = ()


def tested(workspace: Workspace, schema: ProjectSchema, instances: Instances) -> Tested:
    """The instance of the project's unit tests; it stays while they and the data do."""
    found = artifacts.read(workspace.project.target_path)
    tests, _ = unit_tests.read(found)
    inputs = {
        "tests": store.fingerprint([(test.model, test.expect) for test in tests]),
        "warehouse": instances.content,
        "schema": store.fingerprint([schema.tables]),
        "version": __version__,
    }
    folder = workspace.warehouse_dir
    path = folder / "tested.json"
    ready = usable(path, Tested, inputs)
    if ready is not None and (not ready.file or (folder / ready.file).exists()):
        return ready
    models = {test.model for test in tests if test.expect.rows}
    if not any(table.unique_id in models for table in schema.tables):
        ready = Tested("", ())
    else:
        file = copy_warehouse(folder / instances.files[0], folder / "tested")
        made = plant_expected(file, tests, schema.tables)
        relations = tuple(t.relation for t in schema.tables if t.name in made.tables)
        ready = Tested(str(file.relative_to(folder)), relations, made.issues)
    store.write_json(path, ready, inputs)
    return ready


def readable(schema: ProjectSchema, instances: Instances) -> tuple[str, ...]:
    """The relations that a query may read: the queryable tables, and what metrics join them to."""
    return (*(table.relation for table in schema.tables), *instances.calendars)


def calendars_of(read: Artifacts) -> tuple[str, ...]:
    """The relations of the time spines, which metrics join."""
    spines = time_spines(read)
    return tuple(name for name in (text(node, "relation_name") for node in spines) if name)


@dataclass(frozen=True)
class _First:
    """The first instance, the tables in it that are made up, and what is to be said of it."""

    path: Path
    own: Path | None
    made_up: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()


def _first(workspace: Workspace, schema: ProjectSchema) -> _First:
    project, console = workspace.project, workspace.console
    everything = tuple(table.name for table in schema.tables)
    if project.database is None:
        console.info(f"{project.adapter} is asked for answers alone, SQL is checked on other rows")
        made = _made_up(workspace, schema)
        return _First(made.path, None, everything, made.issues)
    console.info("copying the warehouse, and perturbed instances of it")
    own, _ = workspace.data()  # distilling said why there is none
    if own is None:
        made = _made_up(workspace, schema)
        message = "without tables, so all tables are made up to check SQL on"
        issue = Issue(Level.WARNING, project.database.name, message, "dbt build")
        return _First(made.path, None, everything, (issue, *made.issues))
    gaps = tables_without_rows(own, schema)
    if not gaps:
        return _First(own, own)
    listed = ", ".join(gaps)
    if fixtures.catalog_of(schema, _read(workspace)) != own.stem:
        message = f"without rows there, and most tables are in another database: {listed}"
        return _First(own, own, (), (Issue(Level.WARNING, own.name, message, "dbt build"),))
    message = f"without rows there, so made up to check SQL on: {listed}"
    issue = Issue(Level.WARNING, own.name, message, "dbt build")
    made = _made_up(workspace, schema, own)
    return _First(made.path, own, gaps, (issue, *made.issues))


def _made_up(workspace: Workspace, schema: ProjectSchema, over: Path | None = None) -> Fixtures:
    project, console = workspace.project, workspace.console
    console.info("making up rows to check SQL on")
    folder, seed = workspace.warehouse_dir / "made_up", workspace.settings.seed
    read = _read(workspace)
    made = fixtures.build(schema, read, folder, root=project.root, seed=seed, over=over)
    ways = sorted(fixtures.summary(made.tables).items())
    console.info(
        f"{', '.join(f'{count:,} tables {how}' for how, count in ways)}; "
        f"{made.held:,} of the project's {made.checked:,} tests hold on them"
    )
    return made


def _read(workspace: Workspace) -> Artifacts:
    return secrets.scrub(artifacts.read(workspace.project.target_path))


def _made_from(workspace: Workspace, schema: ProjectSchema) -> str:
    return stamp(schema, _read(workspace), workspace.project.root)


def tables_without_rows(warehouse: Path, schema: ProjectSchema) -> tuple[str, ...]:
    """The tables that should be in the file and are not, or have no rows."""
    there = {(c.lower(), s.lower(), n.lower()) for c, s, n, _ in relations_of(warehouse)}
    found: list[str] = []
    connection = open_read_only(warehouse)
    try:
        for table in schema.tables:
            place = full_path(split_name(table.relation), warehouse.stem)
            if place[0] != warehouse.stem.lower():
                continue
            asked = run(connection, f"select 1 from {quoted(*place)} limit 1")
            # What cannot be read is said to be so by whoever asks it.
            if place not in there or (isinstance(asked, Rows) and not asked.rows):
                found.append(table.name)
    finally:
        connection.close()
    return tuple(found)


def _content(warehouse: Path, schema: ProjectSchema) -> str:
    """A fingerprint of the rows, whatever their order and the file's layout."""
    found = []
    relations = tuple(table.relation for table in schema.tables)
    with Sandbox(warehouse, relations, limits=Limits(timeout_s=120)) as sandbox:
        for relation in relations:
            name = quoted(*full_path(split_name(relation), warehouse.stem))
            counted = sandbox.execute_trusted(
                f"select count(*)::varchar, sum(hash(t)::hugeint)::varchar from {name} as t"
            )
            found.append((relation, str(getattr(counted, "rows", counted))))
    return store.fingerprint(found)
