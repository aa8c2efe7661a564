"""What tests share: dbt projects built by the real dbt, and the real command line.

Each project is built once for a whole run, however many workers share it; tests that change one
work on a copy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from dbt_t2s import store
from dbt_t2s.errors import StoreError
from tests import warm

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "example_project"

# Machines differ in speed; no test asserts a time. A change is judged on the same examples each
# time (`.ci/run` sets CI); by hand, each run draws new ones.
settings.register_profile("t2s", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("t2s")

ENVIRONMENT = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONDONTWRITEBYTECODE": "1",
}

# Begun first, so that no worker has one of them left when the others are done.
LONGEST_FILES = (
    "test_bad_input.py",
    "test_changes.py",
    "test_cli.py",
    "test_checking.py",
    "test_readme.py",
    "test_unit_suite.py",
    "test_any_adapter.py",
    "test_replay.py",
    "test_dbt.py",
    "test_base_path.py",
)

Cli = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: place for place, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


def run(
    arguments: list[str], cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command as a user would, without this machine's own dbt and t2s settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    given = {**kept, "PATH": path, **ENVIRONMENT, **(env or {})}
    return warm.run(arguments, cwd, given) or subprocess.run(
        arguments,
        cwd=cwd,
        env=given,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def t2s(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs ``dbt-t2s``."""
    return run([sys.executable, "-m", "dbt_t2s", *arguments], cwd, env)


def dbt(*arguments: str, cwd: Path) -> None:
    """Runs dbt; it has to pass."""
    done = run(["dbt", "--quiet", *arguments, "--profiles-dir", "."], cwd)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(name="t2s")
def t2s_fixture() -> Cli:
    return t2s


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the whole run, also when several workers run it."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Lets the first worker make ``folder`` and the others wait for it."""
    guard = folder.with_name(folder.name + "-guard")
    ready = guard / "ready"
    while True:
        try:
            with store.lock(guard, f"making {folder.name}"):
                if not ready.exists():
                    shutil.rmtree(folder, ignore_errors=True)
                    folder.mkdir(parents=True)
                    make(folder)
                    ready.touch()
                return folder
        except StoreError as failure:
            if "is writing here" not in failure.what:
                raise
            time.sleep(0.5)


def lay_out_example(folder: Path) -> Path:
    """The example project beside the dbt package, as in a clone; with the package installed."""
    kept_out = shutil.ignore_patterns(
        "target", "logs", "*.duckdb*", ".t2s", ".user.yml", "dbt_packages"
    )
    project = copy_project(EXAMPLE, folder / EXAMPLE.name, kept_out)
    shutil.copy(ROOT / "dbt_project.yml", folder)
    shutil.copytree(ROOT / "macros", folder / "macros")
    dbt("deps", cwd=project)
    return project


def copy_project(
    project: Path, folder: Path, ignore: Callable[[str, list[str]], set[str]] | None = None
) -> Path:
    """Copies a dbt project; an installed local package stays the link that dbt made of it."""
    return Path(shutil.copytree(project, folder, symlinks=True, ignore=ignore, dirs_exist_ok=True))


@pytest.fixture(scope="session")
def built_example(shared_folder: Path) -> Path:
    """The example project, built by dbt. Not to be changed."""

    def make(folder: Path) -> None:
        dbt("build", cwd=lay_out_example(folder))

    return once(shared_folder / "example", make) / EXAMPLE.name


@pytest.fixture(scope="session")
def trained_example(built_example: Path, shared_folder: Path) -> Path:
    """The example project with a model trained for seconds. Not to be changed."""

    def make(folder: Path) -> None:
        copy_project(built_example, folder)
        done = t2s("train", "--minutes", "0.3", "--max-examples", "800", cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr

    return once(shared_folder / "trained-example", make)


@pytest.fixture(scope="session")
def built_shop(shared_folder: Path) -> Path:
    """A tiny dbt project, built by dbt. Not to be changed."""

    def make(folder: Path) -> None:
        write_shop(folder)
        dbt("build", cwd=folder)
        dbt("docs", "generate", cwd=folder)

    return once(shared_folder / "shop", make)


@pytest.fixture
def shop(built_shop: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the tiny project, to do with as one likes."""
    copy = tmp_path / "shop"
    shutil.copytree(built_shop, copy)
    yield copy


@pytest.fixture(scope="session")
def trained_shop(built_shop: Path, shared_folder: Path) -> Path:
    """The tiny project with a model trained for seconds. Artefacts are not to be changed."""

    def make(folder: Path) -> None:
        shutil.copytree(built_shop, folder, dirs_exist_ok=True)
        done = t2s("train", "--minutes", "0.2", "--max-examples", "300", cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr

    return once(shared_folder / "trained-shop", make)


@pytest.fixture
def trained_shop_copy(trained_shop: Path, tmp_path: Path) -> Path:
    """A copy of the trained tiny project, to do with as one likes."""
    return Path(shutil.copytree(trained_shop, tmp_path / "trained-shop"))


def write_shop(folder: Path) -> None:
    """Two seeds, two models with tests and docs, a profile for DuckDB."""
    statuses = ("paid", "open", "cancelled")
    days = [date(2025, 1, 1) + timedelta(days=3 * i) for i in range(121)]
    orders = [
        f"{i},{i % 7 + 1},{statuses[i % 3]},{(i * 37) % 500}.50,{days[i]}" for i in range(1, 121)
    ]
    customers = [f"{i},Customer {i},{('NL', 'DE', 'FR')[i % 3]}" for i in range(1, 8)]
    files = {
        "dbt_project.yml": (
            "name: shop\nversion: '1.0.0'\nprofile: shop\n"
            "flags: {send_anonymous_usage_stats: false}\n"
        ),
        "profiles.yml": (
            "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n"
        ),
        "seeds/raw_orders.csv": "\n".join(["id,customer_id,status,amount,ordered_on", *orders]),
        "seeds/raw_customers.csv": "\n".join(["id,name,country", *customers]),
        "models/orders.sql": (
            "select id as order_id, customer_id, status, amount, ordered_on"
            " from {{ ref('raw_orders') }}\n"
        ),
        "models/customers.sql": (
            "select id as customer_id, name, country from {{ ref('raw_customers') }}\n"
        ),
        "models/schema.yml": SHOP_SCHEMA,
        "analyses/revenue.sql": (
            "select c.country, sum(o.amount) as revenue from {{ ref('orders') }} as o"
            " join {{ ref('customers') }} as c on o.customer_id = c.customer_id"
            " where o.status = 'paid' group by c.country\n"
        ),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


SHOP_SCHEMA = """
models:
  - name: orders
    description: One row per order.
    columns:
      - name: order_id
        data_tests: [unique, not_null]
      - name: customer_id
        data_tests:
          - relationships: {arguments: {to: ref('customers'), field: customer_id}}
      - name: status
        description: Where the order stands.
        data_tests:
          - accepted_values: {arguments: {values: [paid, open, cancelled]}}
      - name: amount
        description: What the customer paid, in euros.
      - name: ordered_on
        description: The day of the order.
  - name: customers
    description: One row per customer.
    columns:
      - name: customer_id
        data_tests: [unique, not_null]
      - name: country
        description: Where the customer lives.
"""
