"""The ready-made CI files: each parses, and their commands do what they say on a real project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from dbt_t2s import __version__
from tests.conftest import EXAMPLE, ROOT, run
from tests.ready_made import INSTALL, GitHub, GitLab, Runner, gitlab_api, gitlab_job
from tests.test_check_forms import sarif_faults

WORKFLOW = yaml.safe_load((EXAMPLE / ".github/workflows/t2s.yml").read_text(encoding="utf-8"))
PIPELINE = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
CONFIG = yaml.safe_load((EXAMPLE / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
REPORTS = ("t2s-check.md", "t2s.sarif", "t2s-check.xml", "state.zip", "prod", "prod-target")


def kept(folder: Path, patterns: list[str], into: Path) -> Path:
    """What a job's artifact keeps of a folder, as a host does: paths, and nothing else."""
    for pattern in patterns:
        found = list(folder.glob(pattern))
        assert found, f"{pattern} names nothing"
        for path in found:
            (into / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, into / path.relative_to(folder))
    return into


@pytest.fixture(scope="module")
def production(built_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A project after the job that keeps its state, which a pull request then starts from."""
    folder = tmp_path_factory.mktemp("production")
    project = Path(shutil.copytree(built_shop, folder / "shop"))
    few = {"DBT_T2S_MAX_EXAMPLES": "200"}  # enough to see that they come along
    runner = Runner(project, folder / "tools", few, {"dbt build"})  # the fixture has built it
    host = GitHub(runner, folder / "github")
    assert host.job(WORKFLOW, "state"), host.log
    kept(project, _artifact("state")["path"].split(), folder / "artifact")
    return runner


@pytest.fixture(scope="module")
def artifact(production: Runner) -> Path:
    return production.folder.parent / "artifact"


@pytest.fixture
def unchanged(production: Runner) -> Iterator[Runner]:
    yield production
    _clear(production.folder)


@pytest.fixture
def harmful(renamed: Runner) -> Iterator[Runner]:
    yield renamed
    _clear(renamed.folder)


def _clear(project: Path) -> None:
    """What a job fetched and wrote: the next one begins in a fresh checkout."""
    for name in REPORTS:
        path = project / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def renamed(production: Runner, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A checkout of a pull request that renames a column of a mart: nothing is built yet."""
    folder = tmp_path_factory.mktemp("harmful")
    project = _rename(Path(shutil.copytree(production.folder, folder / "shop")))
    shutil.rmtree(project / "target")
    (project / "shop.duckdb").unlink()
    return Runner(project, folder / "tools", done={"dbt deps"})


def _rename(project: Path) -> Path:
    for name in ("models/orders.sql", "models/schema.yml"):
        text = (project / name).read_text()
        text = text.replace("status, amount", "status as state, amount")
        (project / name).write_text(text.replace("- name: status", "- name: state"))
    return project


def _artifact(job: str) -> dict[str, str]:
    (found,) = (s["with"] for s in JOBS[job]["steps"] if "upload-artifact" in s.get("uses", ""))
    return dict(found)


def test_an_action_is_of_the_host_and_of_a_named_version() -> None:
    used = {step["uses"] for step in STEPS if "uses" in step}
    assert used
    assert all(re.fullmatch(r"(actions|github)/[a-z/-]+@v\d+", each) for each in used)


def test_each_job_may_do_what_it_needs_and_nothing_else() -> None:
    assert WORKFLOW["permissions"] == {}
    writes = {
        (name, what)
        for name, job in JOBS.items()
        for what, how in job["permissions"].items()
        if how == "write"
    }
    assert writes == {("publish", "pull-requests"), ("publish", "security-events")}
    assert "pull_request.head.repo.full_name == github.repository" in JOBS["publish"]["if"]
    # What may write runs nothing that a pull request brings along, its own scripts included.
    assert not any("checkout" in step.get("uses", "") for step in JOBS["publish"]["steps"])
    assert not any("dbt" in step.get("run", "").split() for step in JOBS["publish"]["steps"])
    for step in STEPS:
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_what_is_installed_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [line for step in STEPS for line in step.get("run", "").splitlines()]
    lines += [line for job in ("t2s-state", "t2s-check") for line in PIPELINE[job]["script"]]
    installed = [line.removeprefix(INSTALL).split() for line in lines if line.startswith(INSTALL)]
    assert len(installed) == 4
    for name, adapter in installed:
        assert name == project["name"]
        assert any(each.startswith(f"{adapter}>=") for each in project["dependencies"])


def test_a_pull_request_without_a_state_is_told_so_and_passes(
    unchanged: Runner, tmp_path: Path
) -> None:
    host = GitHub(unchanged, tmp_path / "github")
    assert host.job(WORKFLOW, "check"), host.log
    assert "nothing was checked" in host.summary
    assert "nothing was checked" in host.log
    assert not host.outputs
    assert not (unchanged.folder / "t2s-check.md").exists()


def test_an_unchanged_pull_request_passes(
    unchanged: Runner, artifact: Path, tmp_path: Path
) -> None:
    host = GitHub(unchanged, tmp_path / "github")
    shutil.copytree(artifact / "target", host.world / "state")
    assert host.job(WORKFLOW, "check"), host.log
    assert "::" not in host.log
    assert "nothing changed that questions depend on" in host.summary
    assert host.outputs["summary.written"] == "true"
    assert not sarif_faults((unchanged.folder / "t2s.sarif").read_text())


def test_a_harmful_pull_request_fails_and_says_why(
    harmful: Runner, artifact: Path, tmp_path: Path
) -> None:
    host = GitHub(harmful, tmp_path / "github")
    shutil.copytree(artifact / "target", host.world / "state")
    assert not host.job(WORKFLOW, "check")
    assert re.search(r"^::error file=models/orders.sql,title=T2S203::", host.log, re.M), host.log
    assert "orders.status is called state now" in host.summary
    assert "**Questions broken**" in host.summary  # the generated ones, which the state has
    assert host.outputs["summary.written"] == "true"
    sarif = (harmful.folder / "t2s.sarif").read_text()
    assert not sarif_faults(sarif)
    assert json.loads(sarif)["runs"][0]["results"][0]["ruleId"] == "T2S203"
    kept(harmful.folder, _artifact("check")["path"].split(), tmp_path / "artifact")

    publish = Runner(tmp_path / "artifact", harmful.tools)
    for comment in ("", "99"):
        said = GitHub(publish, tmp_path / f"publish{comment}")
        said.world.mkdir()
        (said.world / "comment").write_text(comment)
        assert said.job(WORKFLOW, "publish"), said.log
        asked = [json.loads(line) for line in (said.world / "asked.jsonl").read_text().splitlines()]
        assert len(asked) == 2
        assert "body=@t2s-check.md" in asked[1]
        place = "issues/comments/99" if comment else "issues/7/comments"
        assert f"repos/fernhill/analytics/{place}" in asked[1]
        assert ("PATCH" in asked[1]) == bool(comment)


def test_slim_builds_what_changed_and_reads_the_rest_where_it_is(
    production: Runner, artifact: Path, tmp_path: Path
) -> None:
    """The commented lines of both files, on the warehouse that production built."""
    project = _rename(Path(shutil.copytree(production.folder, tmp_path / "shop")))
    shutil.copytree(artifact / "target", project / "prod-target")
    texts = [(EXAMPLE / n).read_text() for n in (".github/workflows/t2s.yml", ".gitlab-ci.yml")]
    (build, check), other = (re.findall(r"#   (dbt.*)", text) for text in texts)
    assert other == [build.replace("prod-target", "prod/target"), check]
    runner = Runner(project, tmp_path / "tools")
    done = runner.shell(build, {}, "-e")
    assert done.returncode == 0, done.stdout
    assert "model main.orders" in done.stdout
    assert "model main.customers" not in done.stdout
    done = runner.shell(check.replace("…", "--state prod-target"), {}, "-e")
    assert done.returncode == 1
    assert "1 breaking change" in done.stderr


ARTIFACTS = [
    {"run": 1, "branch": "main"},
    {"run": 5, "branch": "main"},
    {"run": 9, "branch": "main", "expired": True},
    {"run": 8, "branch": "main", "fork": True},
    {"run": 7, "branch": "topic"},
]


@pytest.mark.skipif(not shutil.which("jq"), reason="there is no jq, whose language gh speaks")
@pytest.mark.parametrize(("listed", "run_id"), [(ARTIFACTS, "5"), (ARTIFACTS[2:], ""), ([], "")])
def test_the_newest_state_of_production_is_chosen(
    listed: list[dict[str, Any]], run_id: str
) -> None:
    answer = {
        "total_count": len(listed),
        "artifacts": [
            {
                "name": "t2s-state",
                "expired": each.get("expired", False),
                "workflow_run": {
                    "id": each["run"],
                    "repository_id": 1,
                    "head_repository_id": 2 if "fork" in each else 1,
                    "head_branch": each["branch"],
                },
            }
            for each in listed
        ],
    }
    assert _jq("check", answer) == run_id


@pytest.mark.skipif(not shutil.which("jq"), reason="there is no jq, whose language gh speaks")
def test_only_its_own_comment_is_brought_up_to_date() -> None:
    said = ("### dbt-t2s check\n\nshop", "nice", "### dbt-t2s check\n\nshop")
    users = ("someone", "github-actions[bot]", "github-actions[bot]")
    comments = [
        {"id": n, "user": {"login": user}, "body": body}
        for n, (user, body) in enumerate(zip(users, said, strict=True))
    ]
    assert _jq("publish", comments) == "2"
    assert _jq("publish", comments[:2]) == ""


def _jq(job: str, answer: object) -> str:
    scripts = "\n".join(step.get("run", "") for step in JOBS[job]["steps"])
    (program,) = re.findall(r"--jq '([^']+)'", scripts)
    done = subprocess.run(
        ["jq", "-r", program],
        input=json.dumps(answer),
        env={"BRANCH": "main"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    if not shutil.which("curl"):
        pytest.skip("there is no curl, with which the job asks GitLab")
    with gitlab_api() as site:
        yield site


def on_gitlab(runner: Runner, site: GitLab, token: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the check's job with the variables that GitLab sets."""
    runner.env |= {
        "CI_API_V4_URL": site.url,
        "CI_DEFAULT_BRANCH": "main",
        "CI_JOB_TOKEN": "job",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_PROJECT_ID": "1",
        "NO_PROXY": "127.0.0.1",
        "T2S_TOKEN": token,
    }
    return gitlab_job(runner, PIPELINE, "t2s-check")


def zipped(artifact: Path) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(artifact.rglob("*.*")):
            archive.write(path, path.relative_to(artifact))
    return packed.getvalue()


def test_both_hosts_keep_the_same_state_by_the_same_commands() -> None:
    lines = [line for s in JOBS["state"]["steps"] for line in s.get("run", "").splitlines()]
    assert PIPELINE["t2s-state"]["script"] == lines
    assert PIPELINE["t2s-state"]["artifacts"]["paths"] == _artifact("state")["path"].split()


def test_a_merge_request_without_a_state_is_told_so_and_passes(
    unchanged: Runner, gitlab: GitLab
) -> None:
    done = on_gitlab(unchanged, gitlab, "own")
    assert done.returncode == 0, done.stderr
    assert "nothing was checked" in done.stdout
    assert not gitlab.said


def test_a_state_that_may_not_be_fetched_is_no_missing_state(
    unchanged: Runner, gitlab: GitLab
) -> None:
    gitlab.refuses = True
    done = on_gitlab(unchanged, gitlab)
    assert done.returncode == 1
    assert "HTTP 403" in done.stderr


def test_an_unchanged_merge_request_passes(
    unchanged: Runner, artifact: Path, gitlab: GitLab
) -> None:
    gitlab.state = zipped(artifact)
    done = on_gitlab(unchanged, gitlab)
    assert done.returncode == 0, done.stderr
    job = PIPELINE["t2s-check"]["artifacts"]
    report = ElementTree.parse(unchanged.folder / job["reports"]["junit"])
    assert not report.findall(".//failure")
    assert not gitlab.said  # without a token there is no note


def test_a_harmful_merge_request_fails_and_says_why(
    harmful: Runner, artifact: Path, gitlab: GitLab
) -> None:
    gitlab.state = zipped(artifact)
    done = on_gitlab(harmful, gitlab, "own")
    assert done.returncode == 1, done.stdout
    job = PIPELINE["t2s-check"]["artifacts"]
    report = ElementTree.parse(harmful.folder / job["reports"]["junit"])
    (failure,) = report.findall(".//failure")
    assert "orders.status is called state now" in (failure.text or "")
    (comment,) = (harmful.folder / path for path in job["paths"])
    assert gitlab.said == [("POST", f"{NOTES}", comment.read_text())]

    gitlab.notes = [{"id": 3, "body": "nice"}, {"id": 4, "body": comment.read_text()}]
    gitlab.said.clear()
    after = {"t2s-check": {**PIPELINE["t2s-check"], "script": []}}
    gitlab_job(harmful, after, "t2s-check")
    assert [each[:2] for each in gitlab.said] == [("PUT", f"{NOTES}/4")]


NOTES = "/api/v4/projects/1/merge_requests/7/notes"


def test_the_hook_is_this_versions() -> None:
    (hook,) = HOOKS
    (repo,) = CONFIG["repos"]
    assert hook["id"] == repo["hooks"][0]["id"] == "dbt-t2s-check"
    assert hook["pass_filenames"] is False
    assert repo["rev"] == f"v{__version__}"
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert hook["entry"].split()[0] in scripts


@pytest.fixture(scope="module")
def pre_commit(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """pre-commit in an environment of its own; None where it cannot be had."""
    venv = tmp_path_factory.mktemp("pre-commit") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin/python"), "install", "-q"]
    done = run([*pip, "pre-commit>=3.2"], venv)
    return None if done.returncode else venv / "bin/pre-commit"


def test_the_hook_stops_a_harmful_push(
    pre_commit: Path | None, harmful: Runner, artifact: Path, tmp_path: Path
) -> None:
    """By the real pre-commit, which installs this package; what it needs is lent to it."""
    package = tmp_path / "package"
    project = Path(shutil.copytree(harmful.folder, package / EXAMPLE.name))
    shutil.copytree(artifact / "target", project / "prod-target")
    if pre_commit is None:
        command = " ".join([HOOKS[0]["entry"], *HOOKS[0]["args"]])
        done = Runner(project, tmp_path / "tools").shell(command, {}, "-e")
        assert done.returncode == 1, done.stderr
        pytest.skip("pre-commit cannot be installed: only the hook's entry was run, and it failed")
    _commit(_package(package), CONFIG["repos"][0]["rev"])
    for name in (".pre-commit-config.yaml", ".gitignore"):
        shutil.copy(EXAMPLE / name, project)
    _commit(project)
    env = {
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "PIP_NO_DEPS": "1",
        "PYTHONPATH": str(Path(yaml.__file__).parents[1]),
        "DBT_PROFILES_DIR": ".",
    }
    hook = [str(pre_commit), "run", "dbt-t2s-check", "--all-files", "--hook-stage"]
    done = run([*hook, "pre-push"], project, env)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "orders.status is called state now" in done.stdout
    assert "the check fails: 1 breaking change" in done.stdout
    done = run([*hook, "pre-commit"], project, env)  # the configuration asks at a push only
    assert "orders.status" not in done.stdout


def _package(folder: Path) -> Path:
    """This repository without what a check does not need."""
    left_out = shutil.ignore_patterns("weights", "__pycache__")
    for name in ("dbt_t2s", "macros"):
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE", "dbt_project.yml"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", folder)
    (folder / ".gitignore").write_text(f"{EXAMPLE.name}/\n")
    return folder


def _commit(folder: Path, tag: str = "") -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(folder)]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)
    if tag:
        subprocess.run([*git, "tag", tag], check=True)
