"""The door to dbt: finds the project and its profile, and runs dbt where artifacts are missing.

dbt runs in a child process (``dbt_child``): importing it takes seconds, it changes the working
directory, and it keeps DuckDB files open.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt_t2s.errors import ProjectError, UsageError
from dbt_t2s.project import artifacts, json_file, profiles
from dbt_t2s.project.schema import Issue, Level

INSTALL = "pip install dbt-core dbt-duckdb"

# sqlglot's names by dbt's adapter types. Unknown adapters are read as standard SQL ("").
_SAME = """
    duckdb snowflake bigquery postgres redshift databricks spark trino athena clickhouse mysql
    sqlite oracle fabric doris starrocks materialize dremio
"""
DIALECTS = {
    **{name: name for name in _SAME.split()},
    "sqlserver": "tsql",
    "synapse": "tsql",
    "vertica": "postgres",
}

# What a dbt project is written in; anything else does not make artifacts stale.
_SOURCES = frozenset({".sql", ".yml", ".yaml", ".py", ".csv", ".md"})
# What dbt reads in the project's own folder; models and their docs lie below it.
_SETTINGS = frozenset({".yml", ".yaml"})
_NOT_SOURCES = frozenset({"target", "logs", "dbt_packages", "dbt_modules", "node_modules", "venv"})

Say = Callable[[str], None]


@dataclass(frozen=True)
class DbtProject:
    """Where one dbt project lies and what it runs against.

    ``database`` is the DuckDB file, None for other adapters and for databases in memory.
    ``variables`` are the project's vars as (name, JSON text), the command line's on top.
    """

    name: str
    root: Path
    target_path: Path
    profiles_dir: Path
    profile: str
    target: str
    adapter: str
    dialect: str
    database: Path | None = None
    variables: tuple[tuple[str, str], ...] = ()
    overrides: tuple[tuple[str, str], ...] = ()
    dbt_version: str = ""

    def vars(self) -> dict[str, Any]:
        """The project's vars as plain values."""
        return {name: json.loads(value) for name, value in self.variables}


def open_project(
    project_dir: Path | None = None,
    *,
    profiles_dir: Path | None = None,
    profile: str | None = None,
    target: str | None = None,
    target_path: Path | None = None,
    variables: Mapping[str, Any] | None = None,
) -> DbtProject:
    """The project at ``project_dir``, by dbt's order: flags, ``DBT_*`` environment, defaults."""
    overrides = dict(variables or {})
    root = _find_root(project_dir)
    settings = profiles.read_yaml(root / "dbt_project.yml")
    where = str(root / "dbt_project.yml")
    name = profiles.rendered(settings.get("name"), overrides, where)
    if not name:
        raise ProjectError("the project has no name", where=where, hint="add `name:` to it")
    profile_name = (
        profile
        or os.environ.get("DBT_PROFILE")
        or profiles.rendered(settings.get("profile"), overrides, where)
    )
    folder = profiles.find_folder(profiles_dir, root)
    target_name, output = profiles.read_output(folder, profile_name, target, overrides)
    adapter = str(output.get("type") or "")
    chosen_path = (
        target_path
        or os.environ.get("DBT_TARGET_PATH")
        or profiles.rendered(settings.get("target-path"), overrides, where)
        or "target"
    )
    declared = {**_project_vars(settings, name), **overrides}
    return DbtProject(
        name=name,
        root=root,
        target_path=root / chosen_path,
        profiles_dir=folder,
        profile=profile_name,
        target=target_name,
        adapter=adapter,
        dialect=DIALECTS.get(adapter, ""),
        database=_database(root, output) if adapter == "duckdb" else None,
        variables=_as_pairs(declared),
        overrides=_as_pairs(overrides),
        dbt_version=_dbt_version(),
    )


def _as_pairs(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), json.dumps(value, default=str)) for name, value in values.items())


def _find_root(project_dir: Path | None) -> Path:
    """The project's folder; without a flag, the nearest one upwards, as dbt does."""
    given = project_dir or os.environ.get("DBT_PROJECT_DIR")
    start = Path(given).expanduser().resolve() if given else Path.cwd()
    for folder in (start,) if given else (start, *start.parents):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise ProjectError(
        "not inside a dbt project",
        where=f"no dbt_project.yml at {start}",
        hint="go to a dbt project or pass --project-dir",
    )


def _database(root: Path, output: Mapping[str, Any]) -> Path | None:
    """dbt runs in the project's folder, so that is what a relative path is relative to."""
    path = str(output.get("path") or ":memory:")
    if path.startswith((":memory:", "md:", "motherduck:")):
        return None
    return root / Path(path.removeprefix("duckdb:")).expanduser()


def _project_vars(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Global vars with the project's own section on top, as dbt resolves them in its models."""
    found = settings.get("vars")
    found = found if isinstance(found, dict) else {}
    own = found.get(name)
    own = own if isinstance(own, dict) else {}
    return {**{k: v for k, v in found.items() if k != name}, **own}


def _dbt_version() -> str:
    try:
        return importlib.metadata.version("dbt-core")
    except importlib.metadata.PackageNotFoundError:
        return ""


# --- running dbt -------------------------------------------------------------------------------


@dataclass(frozen=True)
class DbtRun:
    """What one dbt command gave: its own error messages, and its result lines (``ls``)."""

    success: bool
    messages: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def run(project: DbtProject, *arguments: str) -> DbtRun:
    """One dbt command on the project, quietly and without usage statistics."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        child = subprocess.run(
            [*command("once", str(answer)), *arguments, *place(project)],
            cwd=project.root,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment(),
            check=False,
        )
        if not answer.is_file():
            lines = tuple(child.stderr.strip().splitlines()[-5:])
            return DbtRun(False, lines or (f"dbt ended with status {child.returncode}",))
        found = json.loads(answer.read_text(encoding="utf-8"))
    return DbtRun(found["success"], tuple(found["messages"]), tuple(found["lines"]))


def command(*arguments: str) -> list[str]:
    """What starts dbt's own process; ProjectError where dbt is not installed."""
    if importlib.util.find_spec("dbt") is None:
        raise ProjectError("dbt is not installed", hint=INSTALL)
    return [sys.executable, "-m", "dbt_t2s.project.dbt_child", *arguments]


def place(project: DbtProject) -> list[str]:
    """The flags that tell dbt which project, profile, target and vars are meant."""
    where = [
        "--project-dir", str(project.root), "--profiles-dir", str(project.profiles_dir),
        "--profile", project.profile, "--target", project.target,
        "--target-path", str(project.target_path),
    ]  # fmt: skip
    if project.overrides:
        given = {name: json.loads(value) for name, value in project.overrides}
        where += ["--vars", json.dumps(given)]
    return where


def environment() -> dict[str, str]:
    """This process's own, in which the child finds this package even where it is a checkout."""
    return {**os.environ, "PYTHONPATH": _python_path()}


def _python_path() -> str:
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(each for each in (here, os.environ.get("PYTHONPATH", "")) if each)


def ensure_artifacts(project: DbtProject, say: Say = lambda line: None) -> tuple[Issue, ...]:
    """Make the artifacts that are missing or older than the project's files.

    Without a warehouse dbt can still parse: then there is no catalog and no compiled SQL.
    """
    why = _wanting(project)
    if not why:
        return ()
    say(f"dbt artifacts are {why}: running dbt docs generate")
    made = _docs_generate(project)
    if made.success:
        return ()
    say("dbt docs generate failed: running dbt parse")
    parsed = run(project, "parse")
    if not parsed.success:
        raise unreadable(project, parsed.messages)
    return (
        Issue(
            Level.WARNING,
            "dbt docs generate",
            "failed, so there may be no catalog and no compiled SQL: " + " ".join(made.messages),
            "dbt build && dbt docs generate",
        ),
    )


def unreadable(project: DbtProject, messages: Sequence[str]) -> ProjectError:
    """That dbt cannot parse the project, most often because its packages are not installed."""
    told = "\n".join(messages)
    return ProjectError(
        "dbt could not read the project:\n" + told,
        where=str(project.root),
        hint="dbt deps" if "dbt deps" in told else "dbt parse",
    )


def _wanting(project: DbtProject) -> str:
    """Why the artifacts have to be made anew; empty where they need not."""
    age = _modified(project.target_path / "manifest.json")
    if not age:
        return "missing"
    if age < _newest_source(project):
        return "older than the project"
    try:
        manifest = artifacts.read(project.target_path).manifest
    except json_file.TooLargeError:
        raise
    except ProjectError as error:
        return f"broken ({Path(error.where).name}: {error.what})"
    name = artifacts.text(artifacts.section(manifest, "metadata"), "project_name")
    if name not in ("", project.name):
        return f"those of another project, {name}"
    # `dbt parse` and `dbt ls` write manifests without compiled SQL.
    nodes = artifacts.section(manifest, "nodes").values()
    compiled = any(node.get("compiled_code") for node in nodes)
    whole = compiled and _modified(project.target_path / "catalog.json") > 0
    return "" if whole else "partial"


def _docs_generate(project: DbtProject) -> DbtRun:
    """``dbt docs generate``, which overwrites the last build's run results: put them back."""
    results = project.target_path / "run_results.json"
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / results.name
        if results.is_file():
            shutil.copy2(results, kept)
        made = run(project, "docs", "generate")
        if kept.is_file():
            shutil.copy2(kept, results)
    return made


def _modified(path: Path) -> float:
    return path.stat().st_mtime if path.is_file() else 0.0


def _newest_source(project: DbtProject) -> float:
    """When a file that dbt may read last changed; copies of a target folder are none of those."""
    newest = 0.0
    target = project.target_path.resolve()
    for folder, folders, files in os.walk(project.root):
        here = Path(folder)
        if "manifest.json" in files:
            folders.clear()
            continue
        kinds = _SOURCES if here != project.root else _SETTINGS
        folders[:] = [
            each
            for each in folders
            if each not in _NOT_SOURCES
            and not each.startswith(".")
            and (here / each).resolve() != target
        ]
        for name in files:
            if Path(name).suffix in kinds:
                newest = max(newest, _modified(here / name))
    return newest


def select_nodes(
    project: DbtProject,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    state: Path | None = None,
) -> frozenset[str]:
    """The ids of the models, snapshots, seeds and sources that dbt's own selection syntax picks.

    UsageError where a selector is none: one that begins with ``-`` would be an option to dbt.
    """
    for each in (*select, *exclude):
        if not each.strip() or each.lstrip().startswith("-"):
            raise UsageError(
                f"this is no selector: {each!r}",
                where="--select" if each in select else "--exclude",
                hint="name nodes as `dbt ls` takes them: orders+, tag:daily, state:modified+",
            )
    # It would write a manifest without compiled SQL over the one that has it.
    arguments = ["--no-write-json", "ls", "--output", "json", "--output-keys", "unique_id"]
    # `+orders` means the nodes above, not the raw data: sources come only where one is named.
    sources = ("source",) if any("source:" in each for each in select) else ()
    for kind in ("model", "snapshot", "seed", *sources):
        arguments += ["--resource-type", kind]
    arguments += ["--select", *select] if select else []
    arguments += ["--exclude", *exclude] if exclude else []
    arguments += ["--state", str(state.resolve())] if state else []
    found = run(project, *arguments)
    if not found.success:
        raise ProjectError(
            "dbt could not select:\n" + "\n".join(found.messages), hint="dbt ls --select …"
        )
    return frozenset(json.loads(line)["unique_id"] for line in found.lines)
