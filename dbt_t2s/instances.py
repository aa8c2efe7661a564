"""The DuckDB files that SQL is checked on: copies of the warehouse, made up where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import __version__, store
from dbt_t2s.duck import copy_warehouse, quoted
from dbt_t2s.freshness import usable
from dbt_t2s.judge import fixtures
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.relations import full_path, split_name
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.project import artifacts, secrets
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.workspace import Workspace, file_stamp

# The warehouse itself and perturbed copies of it: wrong SQL rarely agrees with the gold on all.
INSTANCES = 3


@dataclass(frozen=True)
class Instances:
    """The DuckDB files that queries run on, below ``warehouse/``; the first is as it is.

    ``made_up`` says that the rows are nobody's: no answer may show them.
    """

    files: tuple[str, ...]
    content: str
    made_up: bool = False


def instances_of(workspace: Workspace, schema: ProjectSchema) -> Instances:
    """The warehouse and its perturbed copies, made again when the data or the tables change."""
    project, settings, folder = workspace.project, workspace.settings, workspace.warehouse_dir
    made_up = project.database is None
    manifest = project.target_path / "manifest.json"
    inputs = {
        "source": file_stamp(manifest if made_up else project.database),
        "schema": store.fingerprint([schema.tables, schema.joins]),
        "settings": store.fingerprint([settings.seed, INSTANCES]),
        "version": __version__,
    }
    ready = usable(workspace.instances_path, Instances, inputs)
    if ready is not None and all((folder / file).exists() for file in ready.files):
        return ready
    if project.database is None:
        first = _made_up(workspace, schema)
    else:
        workspace.console.info("copying the warehouse, and perturbed instances of it")
        first = copy_warehouse(project.database, folder)
    files = make_instances(first, folder, schema, n=INSTANCES, seed=settings.seed)
    names = tuple(str(file.relative_to(folder)) for file in files)
    instances = Instances(names, _content(files[0], schema), made_up)
    store.write_json(workspace.instances_path, instances, inputs)
    return instances


def _made_up(workspace: Workspace, schema: ProjectSchema) -> Path:
    project, console = workspace.project, workspace.console
    console.info(f"making up rows to check SQL on: {project.adapter} is asked for answers alone")
    folder = workspace.warehouse_dir
    folder.mkdir(parents=True, exist_ok=True)
    read = secrets.scrub(artifacts.read(project.target_path))
    made = fixtures.build(schema, read, folder, root=project.root, seed=workspace.settings.seed)
    console.issues(made.issues)
    ways = sorted(fixtures.summary(made.tables).items())
    console.info(
        f"{', '.join(f'{count:,} tables {how}' for how, count in ways)}; "
        f"{made.held:,} of the project's {made.checked:,} tests hold on them"
    )
    return made.path


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
