"""A private PostgreSQL server for tests: on a socket in a folder of its own, gone afterwards."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PORT = 5433  # part of the socket's name; nothing listens on the network


@dataclass(frozen=True)
class Server:
    """``socket`` is what libpq calls the host; stopping and starting keep the data."""

    socket: Path
    binaries: Path
    user: dict[str, Any]

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self.socket} -p {PORT} -c fsync=off"
        self._run("pg_ctl", "-w", "-l", str(self.socket / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-m", "immediate", "stop")

    def create(self) -> None:
        self._run("initdb", "--username", "t2s", "--auth", "trust", "-E", "UTF8", "--locale", "C")

    def _run(self, name: str, *arguments: str) -> None:
        data = ["-D", str(self.socket / "data")]
        with (self.socket / "output").open("a") as output:
            done = subprocess.run(
                [str(self.binaries / name), *data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,  # a pipe would stay open as long as the server
                stderr=output,
                cwd=self.socket,
                timeout=120,
                check=False,
                **self.user,
            )
        assert done.returncode == 0, (self.socket / "output").read_text()


def why_not() -> str:
    """What keeps a server from being started here; empty when nothing does."""
    if _binaries() is None:
        return "PostgreSQL's server (initdb, pg_ctl) is not installed"
    if importlib.util.find_spec("dbt.adapters.postgres") is None:
        return "dbt-postgres is not installed: pip install -e '.[dev]'"
    if os.geteuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no other user to run it"
    return ""


@contextmanager
def server() -> Iterator[Server]:
    """A running server with an empty database ``postgres`` and the user ``t2s``."""
    binaries = _binaries()
    assert binaries is not None
    # Not below pytest's folders: only their owner may enter those, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="t2s-pg-"))
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        found = _user()
        assert found is not None
        user = {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
        os.chown(folder, found.pw_uid, found.pw_gid)
    made = Server(folder, binaries, user)
    try:
        made.create()
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    """Debian keeps them out of the way, a folder for each version."""
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in (*kept, Path(shutil.which("initdb") or "/none").parent):
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    return None


def _user() -> pwd.struct_passwd | None:
    names = {each.pw_name: each for each in pwd.getpwall()}
    return names.get("postgres") or names.get("nobody")


needs_postgres = pytest.mark.skipif(bool(why_not()), reason=why_not())
