"""A trained project that is in use: one copy and one loaded model for the tests of a worker."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbt_t2s.answers import Answerer, answering
from dbt_t2s.console import Console
from dbt_t2s.workspace import Workspace, open_workspace


@pytest.fixture(scope="session")
def shop_in_use(trained_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the trained tiny project, with a log of its own."""
    folder = tmp_path_factory.mktemp("in-use") / "shop"
    shutil.copytree(trained_shop, folder, ignore=shutil.ignore_patterns(".t2s"))
    return folder


@pytest.fixture(scope="session")
def workspace(shop_in_use: Path) -> Workspace:
    console = Console(out=io.StringIO(), err=io.StringIO())
    return open_workspace(console, project_dir=shop_in_use)


@pytest.fixture(scope="session")
def answerer(workspace: Workspace) -> Iterator[Answerer]:
    """The model, loaded once; what it is asked goes into the log."""
    with answering(workspace) as opened:
        yield opened
