"""Every command in the README is run, so that it cannot drift from the program."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import typer.main

from dbt_t2s.cli import app
from tests.conftest import ROOT, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = tuple(
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
)
VERBS = tuple(typer.main.get_group(app).commands)
MODEL_SMALL = {"DBT_T2S_MINUTES": "0.2", "DBT_T2S_MAX_EXAMPLES": "300"}


def of(program: str) -> list[str]:
    return [command for command in COMMANDS if command.split()[0] == program]


def test_every_command_is_of_a_kind_that_is_checked_here() -> None:
    assert COMMANDS
    assert {command.split()[0] for command in COMMANDS} == {"make", "pip", "dbt", "dbt-t2s"}


def test_every_verb_is_in_the_readme_and_no_other() -> None:
    assert {command.split()[1] for command in of("dbt-t2s")} == set(VERBS)


def test_the_figures_have_their_place() -> None:
    block = re.search(r"<!-- figures -->\n(.*?)<!-- /figures -->", README, re.DOTALL)
    assert block is not None
    for wanted in ("make demo", "train", "ask", "execution accuracy", "refused"):
        assert wanted in block.group(1)


@pytest.mark.parametrize("command", of("make"))
def test_make_targets_do_what_the_readme_says(command: str) -> None:
    done = run([*shlex.split(command), "--dry-run", "VENV=none"], ROOT)
    assert done.returncode == 0, done.stderr
    steps = done.stdout
    assert "-m venv none" in steps
    assert "-c constraints.txt" in steps
    wanted = {
        "make demo": ["dbt --quiet build", "dbt-t2s train", *['dbt-t2s ask "'] * 3],
        "make test": ["pytest"],
    }[command]
    place = 0
    for step in wanted:
        place = steps.index(step, place) + 1


def test_ci_runs_the_checks_and_the_readmes_tests_in_an_environment_of_its_own() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make check" in script
    assert "make test" in script
    assert script.count('VENV="$folder/venv"') == 2
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_what_pip_is_told_to_install_is_this_package() -> None:
    assert of("pip") == ["pip install ."]
    assert 'name = "dbt-t2s"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shop_of_the_reader(trained_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as a reader would have it: trained, with questions of their own."""
    folder = tmp_path_factory.mktemp("reader") / "shop"
    shutil.copytree(trained_shop, folder)
    shutil.copytree(folder / "target", folder / "prod-target")
    (folder / "questions.jsonl").write_text(
        '{"question": "how many orders are there?"}\n{"question": "how many customers?"}\n'
    )
    asked = run(["dbt-t2s", "ask", "how many orders are there?"], folder)  # to be given feedback
    assert "Traceback" not in asked.stderr
    return folder


@pytest.fixture(scope="module")
def shop_with_the_macros(built_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has this repository as a dbt package, as the README says."""
    folder = tmp_path_factory.mktemp("macros") / "shop"
    shutil.copytree(built_shop, folder)
    (folder / "packages.yml").write_text(f"packages:\n  - local: {json.dumps(str(ROOT))}\n")
    return folder


def test_the_page_is_served_until_it_is_stopped(shop_of_the_reader: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dbt_t2s", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=shop_of_the_reader, stderr=subprocess.PIPE) as server:
        ends = time.monotonic() + 120
        while server.poll() is None and time.monotonic() < ends:
            try:
                with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answered:
                    assert answered.status == 200
                    break
            except URLError:
                time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=60)[1].decode()
    assert server.returncode == 0, said


@pytest.mark.parametrize("command", [each for each in of("dbt-t2s") if each != "dbt-t2s serve"])
def test_the_readmes_verbs_run(shop_of_the_reader: Path, command: str) -> None:
    arguments = shlex.split(command.replace("--minutes 10", "--minutes 0.1"))
    done = run(arguments, shop_of_the_reader, MODEL_SMALL)
    shown = done.stdout + done.stderr
    assert "Traceback" not in shown
    # A model trained for seconds may be wrong; then it says so with 1. So does an embedded one
    # that is to be exported.
    allowed = (0, 1) if {"ask", "export"} & set(arguments) else (0,)
    assert "export" not in arguments or "embedded model runs in dbt-t2s alone" in shown
    assert done.returncode in allowed, shown
    if "--json" in arguments:
        assert json.loads(done.stdout)["question"]
    if "--file" in arguments:
        assert len(done.stdout.splitlines()) == 2
    for written in re.findall(r"--(?:html|junit) (\S+)", command):
        assert (shop_of_the_reader / written).stat().st_size > 100


def test_the_readmes_dbt_commands_run(shop_with_the_macros: Path) -> None:
    answers = {}
    for command in of("dbt"):
        arguments = [*shlex.split(command), "--profiles-dir", "."]
        done = run(arguments, shop_with_the_macros)
        assert done.returncode == 0, done.stdout + done.stderr
        said = [line for line in done.stdout.splitlines() if "T2S_JSON " in line]
        if said:
            answers[arguments[2]] = json.loads(said[0].partition("T2S_JSON ")[2])
    assert answers["t2s_query"] == {"columns": ["n"], "rows": [[120]], "truncated": False}
    assert answers["t2s_validate"]["valid"] is True
    assert answers["t2s_log"]["id"] != answers["t2s_feedback"]["id"]


def test_the_readmes_settings_are_known(tmp_path: Path) -> None:
    from dbt_t2s.config import known_keys, load_settings

    block = re.search(r"```yaml\n(vars:.*?)```", README, re.DOTALL)
    assert block is not None
    (tmp_path / "dbt_project.yml").write_text("name: x\n" + block.group(1))
    settings = load_settings(tmp_path, {})
    assert (settings.as_of, settings.fail_under) == ("2025-06-30", 0.6)
    assert all(key in block.group(1) for key in known_keys())
