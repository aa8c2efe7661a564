"""CI hosts as far as their files need them: they run the commands of a job, in order, in a folder.

GitHub's runner starts each step in a shell of its own and asks its condition first; GitLab's runs
a job's lines in one shell. What was run in a folder before is not run there once more, so that two
hosts' jobs build a project once.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.conftest import run

INSTALL = "pip install "
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}", re.S)

# What GitHub puts into a job's expressions.
EXPRESSIONS = {
    "github.token": "a-token",
    "github.repository": "fernhill/analytics",
    "github.event.repository.default_branch": "main",
    "github.event.number": "7",
    "vars.PIP_EXTRA_INDEX_URL": "",
}

GH = """#!{python}
import json, os, pathlib, shutil, sys
world = pathlib.Path(os.environ["FAKE_GH"])
said, kept = sys.argv[1:], world / "state"
with (world / "asked.jsonl").open("a") as log:
    log.write(json.dumps(said) + "\\n")
if said[:2] == ["run", "download"]:
    shutil.copytree(kept, said[said.index("--dir") + 1])
elif "/artifacts?" in said[1]:
    print("4711" if kept.is_dir() else "")
elif "--jq" in said:
    print((world / "comment").read_text() if (world / "comment").is_file() else "")
"""


@dataclass
class Runner:
    """A machine that runs jobs in ``folder``, with ``env`` on top of what every process has."""

    folder: Path
    tools: Path
    env: dict[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tools.mkdir(parents=True, exist_ok=True)
        self.tool("dbt-t2s", f'#!/bin/sh\nexec {sys.executable} -m dbt_t2s "$@"\n')

    def tool(self, name: str, script: str) -> None:
        """Puts a program before all others of its name."""
        (self.tools / name).write_text(script)
        (self.tools / name).chmod(0o755)

    def shell(
        self, script: str, env: Mapping[str, str], *flags: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a script in bash, without the lines that install and those that ran here before."""
        lines = script.splitlines()
        known = [line for line in lines if line.startswith("dbt ")]
        left = [each for each in lines if not each.startswith(INSTALL) and each not in self.done]
        self.done |= set(known)
        path = [str(self.tools), str(Path(sys.executable).parent), os.environ["PATH"]]
        full = {"CI": "true", "PATH": os.pathsep.join(path), **self.env, **env}
        self.ran += left
        return run(
            ["bash", "--noprofile", "--norc", *flags, "-c", "\n".join(left)], self.folder, full
        )


@dataclass
class GitHub:
    """Runs a job of a workflow as GitHub's runner does; ``world`` is what ``gh`` knows."""

    runner: Runner
    world: Path
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    log: str = ""

    def job(self, workflow: Mapping[str, Any], name: str) -> bool:
        """Whether the job passes; each condition has to be one that is known here."""
        self.world.mkdir(parents=True, exist_ok=True)
        self.runner.tool("gh", GH.format(python=sys.executable))
        passes = True
        for step in workflow["jobs"][name]["steps"]:
            condition = str(step.get("if", ""))
            runs_on = "cancelled()" in condition or passes
            if not (runs_on and self._holds(condition)) or "uses" in step:
                continue
            done = self._step(workflow, step)
            self.log += done.stdout + done.stderr
            passes = passes and done.returncode == 0
        return passes

    def _holds(self, condition: str) -> bool:
        facts: dict[str, Callable[[], bool]] = {
            "": lambda: True,
            "!cancelled()": lambda: True,
            "steps.state.outputs.found == 'true'": lambda: (
                self.outputs.get("state.found") == "true"
            ),
            "hashFiles('t2s-check.md') != ''": (self.runner.folder / "t2s-check.md").is_file,
        }
        inner = _EXPRESSION.sub(r"\1", condition)
        return all(facts[each.strip()]() for each in inner.split("&&"))

    def _step(
        self, workflow: Mapping[str, Any], step: Mapping[str, Any]
    ) -> subprocess.CompletedProcess[str]:
        files = {name: self.world / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_text("")
        given = {**workflow.get("env", {}), **step.get("env", {})}
        env = {name: _EXPRESSION.sub(_value, str(value)) for name, value in given.items()}
        env |= {name: str(path) for name, path in files.items()}
        env |= {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(self.runner.folder)}
        env |= {"FAKE_GH": str(self.world)}
        script = step["run"]
        assert "${{" not in script, "what an event says must not become part of a script"
        done = self.runner.shell(script, env, "-e")
        for line in files["GITHUB_OUTPUT"].read_text().splitlines():
            key, _, value = line.partition("=")
            self.outputs[f"{step['id']}.{key}"] = value
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        return done


def _value(found: re.Match[str]) -> str:
    return EXPRESSIONS[found[1]]


def gitlab_job(
    runner: Runner, pipeline: Mapping[str, Any], name: str
) -> subprocess.CompletedProcess[str]:
    """Runs a job's script, then its after_script, whose failure changes nothing."""
    job = pipeline[name]
    env = dict(pipeline.get("variables", {}))
    done = runner.shell("\n".join(job["script"]), env, "-eo", "pipefail")
    after = runner.shell("\n".join(job.get("after_script", ())), env, "-eo", "pipefail")
    assert after.returncode == 0, after.stderr
    return done


@dataclass
class GitLab:
    """GitLab's API, as far as the job asks it; ``said`` is what it was asked to write."""

    url: str
    state: bytes | None = None
    refuses: bool = False
    notes: list[dict[str, Any]] = field(default_factory=list)
    said: list[tuple[str, str, str]] = field(default_factory=list)


@contextmanager
def gitlab_api() -> Iterator[GitLab]:
    """GitLab's API at an address of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "/artifacts/main/download?job=t2s-state" in self.path:
                known = self.headers["JOB-TOKEN"] == "job" or self.headers["PRIVATE-TOKEN"] == "own"
                status = 200 if site.state is not None else 404
                self.answer(status if known and not site.refuses else 403, site.state or b"{}")
            else:
                assert self.headers["PRIVATE-TOKEN"] == "own"
                self.answer(200, json.dumps(site.notes).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            site.said.append((self.command, self.path, parse_qs(body)["body"][0]))
            self.answer(200, b"{}")

        do_PUT = do_POST

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = GitLab(f"http://127.0.0.1:{server.server_port}/api/v4")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()
