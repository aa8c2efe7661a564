"""Over a thousand hostile statements: nothing is read or written, all end in time, the next works.

The statements lie in ``hostile/``, by attack. In them ``@CANARY@`` stands for a file with known
content, ``@FOLDER@`` for its folder, ``@PORT@`` for a port that listens. Those in ``greedy`` may
give rows; all others must be refused before they run.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dbt_t2s import duck
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.judge.sandbox import Limits, Sandbox
from tests.judge.hostile import catalog, dialects, files, friendly, greedy, settings, text, writes
from tests.judge.shop import RELATIONS, make_shop

GOOD = "select count(*) as n from marts.orders"
CANARY = "canary-5b1e, a line that no answer may hold"
# Passwords in tables that may not be read start with it.
SECRET = "hunter"
# For what waits for its end; everything else runs under the limits that people have.
HASTY = Limits(timeout_s=0.25)
# Beside a time limit: killing a process of 2 GB takes 0.3 s, and the machine may be busy.
SLACK_S = 3.0

# Names that only some ways of folding letters take for queryable, or for CTEs.
MORE = """
create table bank as select 'hunter4' as password;
create table "ban\u212a" as select 'hunter5' as password;
create table prices as select 'hunter6' as password;
create table boss as select 'hunter7' as password;
create table "\u017fecret" as select 'hunter8' as password;
create schema "mar\u212ats";
create table "mar\u212ats".orders as select 'hunter9' as password;
create schema shop;
create table shop.shop.secret as select 'hunter10' as password;
create table shop.shop.orders as select 'hunter11' as password;
"""

REFUSED = {
    f"{group}: {name}": sql
    for group, table in (
        ("files", files.STATEMENTS),
        ("writes", writes.STATEMENTS),
        ("settings", settings.STATEMENTS),
        ("catalog", catalog.STATEMENTS),
        ("text", text.STATEMENTS),
    )
    for name, sql in table.items()
}
ENDED = greedy.ENDLESS | greedy.FAT
BOUNDED = greedy.ODD | greedy.DEEP


@dataclass(frozen=True)
class World:
    """What hostile SQL might reach for, and how it was before."""

    folder: Path
    warehouse: Path
    listener: socket.socket
    before: tuple[tuple[str, int, int], ...]
    digest: str

    def filled(self, sql: str) -> str:
        port = str(self.listener.getsockname()[1])
        canary = self.folder / "canary.csv"
        return (
            sql.replace("@CANARY@", str(canary))
            .replace("@FOLDER@", str(self.folder))
            .replace("@PORT@", port)
        )

    def check(self, found: Rows | QueryError) -> None:
        """Nothing was read, written or called."""
        said = repr(found.rows) if isinstance(found, Rows) else found.message
        assert "canary-5b1e" not in said
        assert not isinstance(found, Rows) or SECRET not in said
        assert listing(self.folder) == self.before
        with pytest.raises(BlockingIOError):
            self.listener.accept()


def listing(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Path, size and time of change of all files below ``folder``."""
    found = ((str(path), path.stat()) for path in sorted(folder.rglob("*")))
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The warehouse lies in the folder too, which is the working folder."""
    folder = tmp_path_factory.mktemp("hostile")
    warehouse = make_shop(folder / "shop.duckdb")
    with duck.open_writable(warehouse) as connection:
        connection.execute(MORE)
    (folder / "canary.csv").write_text(f"a\n{CANARY}\n")
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.MonkeyPatch.context() as patch:
        listener.setblocking(False)
        patch.chdir(folder)
        patch.setenv("CANARY", CANARY)
        made = World(folder, warehouse, listener, listing(folder), digest(warehouse))
        yield made
        assert digest(warehouse) == made.digest
        assert (folder / "canary.csv").read_text() == f"a\n{CANARY}\n"


@pytest.fixture(scope="module")
def sandbox(world: World) -> Iterator[Sandbox]:
    with Sandbox(world.warehouse, RELATIONS) as opened:
        yield opened


@pytest.fixture(scope="module")
def hasty(world: World) -> Iterator[dict[str, Sandbox]]:
    """As ``translating``, with little time."""
    names = {"duckdb", *(dialect for _, dialect, _ in dialects.GREEDY)}
    found = {name: Sandbox(world.warehouse, RELATIONS, name, HASTY) for name in sorted(names)}
    yield found
    for each in found.values():
        each.close()


@pytest.fixture(scope="module")
def translating(world: World) -> Iterator[dict[str, Sandbox]]:
    """A sandbox for each dialect, started when first asked."""
    names = {dialect for _, dialect, _ in dialects.REFUSED}
    names |= {dialect for dialect, _ in friendly.OTHER_DIALECTS}
    found = {name: Sandbox(world.warehouse, RELATIONS, name) for name in sorted(names)}
    yield found
    for each in found.values():
        each.close()


def works(sandbox: Sandbox) -> None:
    found = sandbox.execute_trusted(GOOD)
    assert isinstance(found, Rows), found
    assert found.rows == ((600,),)


def refused(world: World, sandbox: Sandbox, sql: str) -> None:
    found = sandbox.execute(world.filled(sql))
    world.check(found)
    assert isinstance(found, QueryError), found
    # A translation may name what DuckDB does not have: that is a bind error.
    kinds = (
        ("forbidden", "parse") if sandbox.dialect == "duckdb" else ("forbidden", "parse", "bind")
    )
    assert found.kind in kinds, found
    works(sandbox)


def in_time(world: World, sandbox: Sandbox, sql: str) -> Rows | QueryError:
    works(sandbox)
    started = time.monotonic()
    found = sandbox.execute(world.filled(sql))
    assert time.monotonic() - started < sandbox.limits.timeout_s + SLACK_S
    world.check(found)
    works(sandbox)
    return found


def test_there_are_many_and_each_is_another() -> None:
    translated = [sql for _, _, sql in (*dialects.REFUSED, *dialects.GREEDY)]
    all_of_them = [*REFUSED.values(), *ENDED.values(), *BOUNDED.values(), *translated]
    assert len({sql.strip() for sql in all_of_them}) >= 1_000
    assert len({*friendly.QUERIES}) >= 60
    assert all(name in REFUSED[f"settings: set {name}"] for name in ("threads", "memory_limit"))


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_sql_is_refused_before_it_runs(world: World, sandbox: Sandbox, name: str) -> None:
    refused(world, sandbox, REFUSED[name])


@pytest.mark.parametrize("name", ENDED)
def test_greedy_sql_is_ended(world: World, hasty: dict[str, Sandbox], name: str) -> None:
    found = in_time(world, hasty["duckdb"], ENDED[name])
    assert isinstance(found, QueryError), found
    assert found.kind in ("timeout", "memory"), found


@pytest.mark.parametrize("name", BOUNDED)
def test_odd_sql_stays_within_the_limits(
    world: World, hasty: dict[str, Sandbox], name: str
) -> None:
    found = in_time(world, hasty["duckdb"], BOUNDED[name])
    assert isinstance(found, Rows) or len(found.message) <= 4_000


@pytest.mark.parametrize(("name", "dialect", "sql"), dialects.REFUSED)
def test_hostile_sql_of_other_dialects_is_refused(
    world: World, translating: dict[str, Sandbox], name: str, dialect: str, sql: str
) -> None:
    refused(world, translating[dialect], sql)


@pytest.mark.parametrize(
    ("name", "dialect", "sql"), dialects.GREEDY, ids=[f"{a}-{b}" for a, b, _ in dialects.GREEDY]
)
def test_greedy_sql_of_other_dialects_stays_within_the_limits(
    world: World, hasty: dict[str, Sandbox], name: str, dialect: str, sql: str
) -> None:
    in_time(world, hasty[dialect], sql)


@pytest.mark.parametrize("sql", friendly.QUERIES)
def test_friendly_sql_is_answered(sandbox: Sandbox, sql: str) -> None:
    found = sandbox.execute(sql)
    assert isinstance(found, Rows), found


@pytest.mark.parametrize(("dialect", "sql"), friendly.OTHER_DIALECTS)
def test_friendly_sql_of_other_dialects_is_answered(
    translating: dict[str, Sandbox], dialect: str, sql: str
) -> None:
    found = translating[dialect].execute(sql)
    assert isinstance(found, Rows), found


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="Linux says its limits there")
def test_the_system_holds_the_worker_to_2_gb_and_no_files(world: World) -> None:
    with Sandbox(world.warehouse, RELATIONS) as sandbox:
        limits = Path(f"/proc/{sandbox._ready()._process.pid}/limits").read_text()
    held = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert held["Max address space"] == [str(2 * 1024**3)] * 2
    assert held["Max file size"] == ["0", "0"]
    assert os.environ["CANARY"] == CANARY


@pytest.mark.parametrize("name", ["pad", "cross joins"])
def test_nothing_outlives_three_seconds(world: World, name: str) -> None:
    with Sandbox(world.warehouse, RELATIONS) as sandbox:
        assert sandbox.limits.timeout_s == 3.0
        found = in_time(world, sandbox, greedy.ENDLESS[name])
        assert isinstance(found, QueryError)
