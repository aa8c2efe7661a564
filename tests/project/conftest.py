"""A small dbt project with a semantic layer, built once by the real dbt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbt_t2s.duck import Execute, QueryError, Rows, open_read_only, run
from dbt_t2s.project import dbt as dbt_door
from dbt_t2s.project.dbt import DbtProject, open_project
from dbt_t2s.project.distill import distill
from dbt_t2s.project.schema import ProjectSchema
from tests.conftest import dbt, once
from tests.project import clinic as clinic_project
from tests.project import postgres, tiny
from tests.project.postgres import Server

TOKEN = "s3cr3t-token-of-the-kennel"


@pytest.fixture(scope="session")
def kennel_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, built and documented. Not to be changed."""
    root = tiny.write(tmp_path_factory.mktemp("kennel"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    for command in (["build"], ["docs", "generate"]):
        done = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "--no-send-anonymous-usage-stats", *command],
            cwd=root,
            env={**kept, "KENNEL_API_TOKEN": TOKEN},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(scope="session")
def kennel(kennel_folder: Path) -> DbtProject:
    return open_project(kennel_folder)


@pytest.fixture(scope="session")
def execute(kennel: DbtProject) -> Iterator[Execute]:
    assert kennel.database is not None
    with open_read_only(kennel.database) as connection:

        def ask(sql: str) -> Rows | QueryError:
            return run(connection, sql)

        yield ask


@pytest.fixture(scope="session")
def schema(kennel: DbtProject, execute: Execute) -> ProjectSchema:
    """The project, distilled with its data at hand and its secret known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KENNEL_API_TOKEN", TOKEN)
        return distill(kennel, as_of="2024-04-01", execute=execute)


@pytest.fixture(scope="session")
def clinic_folder(shared_folder: Path) -> Path:
    """A project with our macros, built on DuckDB. Not to be changed."""

    def make(folder: Path) -> None:
        clinic_project.write(folder)
        dbt("deps", cwd=folder)
        dbt("build", "--exclude-resource-type", "test", cwd=folder)  # one is meant to fail

    return once(shared_folder / "clinic", make)


@pytest.fixture
def clinic_copy(clinic_folder: Path, tmp_path: Path) -> Path:
    """The same project, to do with as one likes."""
    return Path(shutil.copytree(clinic_folder, tmp_path / "clinic", symlinks=True))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres.server() as started:
        yield started


@pytest.fixture(scope="module")
def clinic(
    clinic_folder: Path, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DbtProject]:
    """The clinic, built and documented on PostgreSQL."""
    root = tmp_path_factory.mktemp("warehouse") / "clinic"
    kept_out = shutil.ignore_patterns("target", "logs", "*.duckdb*")
    shutil.copytree(clinic_folder, root, symlinks=True, ignore=kept_out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLINIC_HOST", str(server.socket))
        project = open_project(root, target="pg")
        for command in (["build", "--exclude-resource-type", "test"], ["docs", "generate"]):
            done = dbt_door.run(project, *command)
            assert done.success, done.messages
        yield project
