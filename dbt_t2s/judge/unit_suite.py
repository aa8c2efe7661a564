"""The project's own unit tests, run in DuckDB: they prove transpilation and fixtures at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dbt_t2s.judge import unit_runs, unit_sql, unit_tests
from dbt_t2s.judge.unit_runs import UnitResult
from dbt_t2s.project import artifacts as artifact_files
from dbt_t2s.project import secrets
from dbt_t2s.project.artifacts import Artifacts, section, text
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.overlay import compile_models
from dbt_t2s.project.schema import Issue, Level

PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"
_STATUSES = {"pass": PASSED, "fail": FAILED, "error": NOT_RUN}


@dataclass(frozen=True)
class UnitVerdict:
    """One unit test of the model with the id ``model``; ``status`` is passed, failed or not run."""

    unique_id: str
    name: str
    model: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class UnitSuite:
    """Model by model; ``issues`` name each test that did not pass."""

    verdicts: tuple[UnitVerdict, ...] = ()
    issues: tuple[Issue, ...] = ()

    def count(self, status: str) -> int:
        return sum(each.status == status for each in self.verdicts)


def run_unit_suite(project: DbtProject) -> UnitSuite:
    """The verdicts that ``dbt test --select test_type:unit`` gives, without the warehouse.

    dbt is run only to compile a model whose unit test overrides a var or a macro. ProjectError
    where the artifacts cannot be read.
    """
    read = artifact_files.read(project.target_path)
    tests, unreadable = unit_tests.read(read)
    code, uncompiled = unit_sql.code_of_tests(tests, read, partial(compile_models, project))
    columns = Lineage(read, project.dialect, project.root).columns
    results = unit_runs.run_unit_tests(
        tests, read, project.dialect, columns, lambda test: code.get(test.unique_id, "")
    )
    reasons = {each.where: each.message for each in (*unreadable, *uncompiled)}
    mask = secrets.masker(read)
    verdicts = [_of_result(each, reasons) for each in results]
    verdicts += [_unread(each.where, each.message, read) for each in unreadable]
    found = tuple(
        sorted((_masked(each, mask) for each in verdicts), key=lambda each: (each.model, each.name))
    )
    return UnitSuite(found, _issues(found))


def to_json(suite: UnitSuite) -> dict[str, object]:
    """The ``unit_tests`` of report.json."""
    return {
        "n": len(suite.verdicts),
        "passed": suite.count(PASSED),
        "failed": suite.count(FAILED),
        "not_run": suite.count(NOT_RUN),
        "by_model": {
            model: dict(Counter(each.status for each in suite.verdicts if each.model == model))
            for model in dict.fromkeys(each.model for each in suite.verdicts)
        },
        "tests": [
            {
                "unique_id": each.unique_id,
                "name": each.name,
                "model": each.model,
                "status": each.status,
                "reason": each.reason,
            }
            for each in suite.verdicts
        ],
    }


def lines(suite: UnitSuite) -> Sequence[str]:
    """What a person wants to know first; nothing where the project has no unit tests."""
    if not suite.verdicts:
        return ()
    total, passed = len(suite.verdicts), suite.count(PASSED)
    first = f"unit tests: {passed:,} of {total:,} pass in DuckDB"
    others = ((FAILED, suite.count(FAILED)), (NOT_RUN, suite.count(NOT_RUN)))
    told = ", ".join(f"{count:,} {status}" for status, count in others if count)
    return (
        f"{first}; {told}" if told else first,
        *(
            f"  {each.status}: {_short(each.model)}.{each.name}: {each.reason}"
            for each in suite.verdicts
            if each.status != PASSED
        ),
    )


def _of_result(result: UnitResult, reasons: Mapping[str, str]) -> UnitVerdict:
    test, status = result.test, _STATUSES[result.status]
    why = reasons.get(test.unique_id, result.reason) if status == NOT_RUN else result.reason
    return UnitVerdict(test.unique_id, test.name, test.model, status, why)


def _unread(unique_id: str, reason: str, read: Artifacts) -> UnitVerdict:
    test = section(read.manifest, "unit_tests", unique_id)
    name = text(test, "name") or unique_id.rpartition(".")[2]
    return UnitVerdict(unique_id, name, text(test, "model"), NOT_RUN, reason)


def _masked(verdict: UnitVerdict, mask: Callable[[str], str]) -> UnitVerdict:
    """A database's message may quote the SQL, and that a secret."""
    return UnitVerdict(
        verdict.unique_id, verdict.name, verdict.model, verdict.status, mask(verdict.reason)
    )


def _issues(verdicts: Iterable[UnitVerdict]) -> tuple[Issue, ...]:
    return tuple(
        Issue(
            Level.WARNING,
            each.unique_id,
            f"unit test of {_short(each.model)} {each.status} in DuckDB: {each.reason}",
            f"dbt test --select {each.name}",
        )
        for each in verdicts
        if each.status != PASSED
    )


def _short(model: str) -> str:
    """The name in a model's id: ``orders``, or ``customers.v3`` of a versioned one."""
    return model.split(".", 2)[-1] if model.startswith("model.") else model
