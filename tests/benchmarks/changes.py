"""What `dbt-t2s check` says of each scripted change to the example project, against what is right.

    python -m tests.benchmarks.changes WORK [--only NAME …] [--kind KIND …] [--again] [--no-tests]

The example is built and asked about once, in WORK/base; its target folder is the state. Each
change is made to a copy, which dbt builds (what the change touches, its tests too) and documents;
then the real command line checks it. What is finished in WORK/results is not run again without
``--again``, which keeps the copies that dbt has built.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import EXAMPLE, copy_project, dbt, lay_out_example, run, t2s
from tests.tools.scripted_changes import KINDS, Scripted, make, read, wrong

# Both commands in one process: importing dbt takes longer than either. The results of a build
# stay, as they do where `dbt docs generate` is left to dbt-t2s.
_BUILD = """
import shutil, sys
from dbt.cli.main import dbtRunner
state, tests = sys.argv[1], sys.argv[2] == "tests"
left_out = []
for kind in () if tests else ("test", "unit_test"):
    left_out += ["--exclude-resource-type", kind]
own = ["--profiles-dir", ".", "--quiet"]
select = ["--select", "state:modified+", "--state", state, "--full-refresh"]
built = dbtRunner().invoke([*own[2:], "build", *own[:2], *select, *left_out])
for each in getattr(built.result, "results", ()) or ():
    if str(each.status) not in ("success", "pass", "no-op"):
        print(each.node.unique_id, each.status, (each.message or "").replace("\\n", " ")[:200])
shutil.copy("target/run_results.json", "run_results.kept")
made = dbtRunner().invoke([*own[2:], "docs", "generate", *own[:2]])
shutil.move("run_results.kept", "target/run_results.json")
if made.exception:
    print(made.exception)
sys.exit(not made.success)
"""
_UNTESTED = "not run"


@dataclass(frozen=True)
class Result:
    """How one change went; ``dbt`` are the lines of nodes that failed in dbt's own build."""

    name: str
    wrong: tuple[str, ...]
    status: int = 0
    dbt: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    questions: int = 0
    test_questions: int = 0
    build_s: float = 0.0
    check_s: float = 0.0
    message: str = field(default="", repr=False)


def prepare(work: Path) -> tuple[Path, Path]:
    """The built example and its state; both are made where they are not there yet."""
    base, state = work / "base" / EXAMPLE.name, work / "state"
    if not (state / "t2s/examples.parquet").is_file():
        shutil.rmtree(work / "base", ignore_errors=True)
        base = lay_out_example(work / "base")
        dbt("build", cwd=base)
        dbt("docs", "generate", cwd=base)
        done = t2s("generate", cwd=base)
        if done.returncode:
            raise SystemExit(done.stderr)
        shutil.copytree(base / "target", state, symlinks=True, dirs_exist_ok=True)
    return base, state


def build(
    change: Sequence[Scripted], base: Path, folder: Path, state: Path, *, tests: bool
) -> tuple[str, ...]:
    """Changes a copy of ``base`` and builds it; the lines that dbt's own failures give.

    RuntimeError where dbt can make no artifacts of it.
    """
    copy_project(base, folder)
    for each in change:
        make(each, folder)
    # A measure dropped with its metric, in two files, is more than partial parsing can follow.
    (folder / "target/partial_parse.msgpack").unlink(missing_ok=True)
    arguments = [sys.executable, "-c", _BUILD, str(state), "tests" if tests else "rows"]
    done = run(arguments, folder)
    if done.returncode:
        raise RuntimeError(f"dbt cannot build {folder.name}: {done.stdout}{done.stderr}"[-2000:])
    return tuple(line for line in done.stdout.splitlines() if line)


def check(folder: Path, state: Path) -> tuple[int, dict[str, Any]]:
    """The exit status of a plain check and its findings; RuntimeError where it says nothing."""
    done = t2s("check", "--state", str(state), "--json", cwd=folder)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the check of {folder.name} ends with {done.returncode}: {done.stderr}")
    return done.returncode, json.loads(done.stdout)


def judged(change: Scripted, work: Path, *, tests: bool) -> Result:
    """Builds the change where that is not done yet, and checks it."""
    base, state = prepare(work)
    folder, told = work / "built" / change.name, work / "results" / f"{change.name}.json"
    kept = folder / "dbt.json"
    told.parent.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    try:
        if not kept.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            failed = build([change], base, folder, state, tests=tests)
            kept.write_text(json.dumps(failed if tests else (_UNTESTED, *failed)))
        built = time.monotonic()
        status, found = check(folder, state)
    except (RuntimeError, ValueError) as error:
        return Result(change.name, ("could not be run",), message=str(error))
    done = time.monotonic()
    (told.with_suffix(".check.json")).write_text(json.dumps(found, indent=1))
    return Result(
        change.name,
        wrong(change, status, found),
        status,
        tuple(json.loads(kept.read_text())),
        tuple(f"{each['code']} {each['what']}" for each in found["changes"]),
        len(found["questions"]),
        sum(each["source"] == "test question" for each in found["questions"]),
        built - begun,
        done - built,
    )


def finished(change: Scripted, work: Path) -> Result | None:
    """The result of an earlier run, judged by what is expected now."""
    told = work / "results" / f"{change.name}.json"
    found = told.with_suffix(".check.json")
    if not told.is_file() or not found.is_file():
        return None
    read_back = json.loads(told.read_text())
    lists = {name: tuple(read_back[name]) for name in ("dbt", "changes")}
    now = wrong(change, read_back["status"], json.loads(found.read_text()))
    return Result(**{**read_back, **lists, "wrong": now})


def lines(changes: Sequence[Scripted], results: Sequence[Result]) -> Iterator[str]:
    """The table, and the sums under it."""
    yield "| change | kind | harmful | expected | found | questions (people's) | dbt test | s | |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for change, result in zip(changes, results, strict=True):
        verdict = "; ".join(result.wrong) or "right"
        expected = ", ".join(change.expect) or "nothing"
        found = ", ".join(result.changes[:6]) or "nothing"
        more = f" and {len(result.changes) - 6} more" if len(result.changes) > 6 else ""
        asked = f"{result.questions} ({result.test_questions})"
        own = "pass" if not result.dbt else "fails" if _UNTESTED not in result.dbt else _UNTESTED
        yield (
            f"| {change.name} | {change.kind} | {'yes' if change.harmful else 'no'} | {expected}"
            f" | {found}{more} | {asked} | {own} | {result.check_s:.1f} | {verdict} |"
        )
    pairs = list(zip(changes, results, strict=True))
    for kind in KINDS:
        of_kind = [(c, r) for c, r in pairs if c.kind == kind]
        right = sum(not r.wrong for _, r in of_kind)
        if of_kind:
            yield f"{kind}: {right} of {len(of_kind)} right"
    harmful = [r for c, r in pairs if c.harmful]
    right = sum(not r.wrong for r in harmful)
    yield f"harmful reported at their class and question: {right} of {len(harmful)}"
    harmless = [r for c, r in pairs if not c.harmful]
    failed = sum(bool(r.status) for r in harmless)
    yield f"harmless that fail the check: {failed} of {len(harmless)}"
    amiss = sum(bool(r.wrong) for r in harmless)
    yield f"harmless of which anything wrong is said: {amiss} of {len(harmless)}"
    if results:
        seconds = sorted(r.check_s for r in results)
        yield f"seconds of a check: median {seconds[len(seconds) // 2]:.1f}, most {seconds[-1]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--kind", nargs="+", default=[], choices=KINDS)
    parser.add_argument("--again", action="store_true", help="check again what is finished")
    parser.add_argument("--rebuild", action="store_true", help="and let dbt build it again")
    parser.add_argument("--no-tests", action="store_true", help="leave dbt's own tests out")
    parser.add_argument("--report", action="store_true", help="only what is finished")
    given = parser.parse_args()
    work = given.work.resolve()
    chosen = [
        each
        for each in read()
        if (not given.only or each.name in given.only)
        and (not given.kind or each.kind in given.kind)
    ]
    shown: list[Scripted] = []
    results: list[Result] = []
    for change in chosen:
        result = None if given.again else finished(change, work)
        if result is None and given.report:
            continue
        if result is None:
            if given.rebuild:
                shutil.rmtree(work / "built" / change.name, ignore_errors=True)
            result = judged(change, work, tests=not given.no_tests)
            path = work / "results" / f"{change.name}.json"
            if "could not be run" not in result.wrong:
                path.write_text(json.dumps(asdict(result), indent=1))
            print(
                f"{change.name}: {'; '.join(result.wrong) or 'right'} {result.message}",
                file=sys.stderr,
            )
        shown.append(change)
        results.append(result)
    print("\n".join(lines(shown, results)))


if __name__ == "__main__":
    main()
