"""The SQL of a tested model as its unit test wants it compiled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from dbt_t2s.errors import ProjectError
from dbt_t2s.judge.unit_tests import UnitTest
from dbt_t2s.project.artifacts import Artifacts, items, section, text
from dbt_t2s.project.overlay import Overrides
from dbt_t2s.project.schema import Issue, Level

_INCREMENTAL = "is_incremental"
Compile = Callable[[Sequence[str], Overrides], Mapping[str, str]]


def code_of_tests(
    tests: Iterable[UnitTest], artifacts: Artifacts, compile_models: Compile | None
) -> tuple[Mapping[str, str], tuple[Issue, ...]]:
    """The SQL by the tests' ids, and why there is none for some.

    It is the manifest's where the test overrides nothing, else what dbt's own last run of the test
    compiled if the test and its model are no newer, else it is compiled anew, all tests with the
    same overrides at once. In a unit test a model is not incremental unless the test says so.
    """
    ran = _compiled_by_last_run(artifacts)
    code: dict[str, str] = {}
    left: dict[Overrides, list[UnitTest]] = {}
    issues: list[Issue] = []
    for test in tests:
        of_model = text(artifacts.node(test.model), "compiled_code")
        plain = not test.overrides and not _asks_for_increments(test.model, artifacts)
        if plain and of_model.strip():
            code[test.unique_id] = of_model
        elif test.unique_id in ran and _is_current(test, artifacts):
            code[test.unique_id] = ran[test.unique_id]
        elif any(kind == "env_vars" for kind, _, _ in test.overrides):
            message = "it overrides environment variables, which only dbt's own run does"
            issues.append(_issue(test, message))
        else:
            left.setdefault(_overrides(test), []).append(test)
    if compile_models is None:
        return code, tuple(issues)
    for overrides, group in left.items():
        models = tuple(dict.fromkeys(test.model for test in group))
        try:
            made = compile_models(models, overrides)
        except ProjectError as error:
            issues += [_issue(test, str(error)) for test in group]
            continue
        code |= {test.unique_id: made.get(test.model, "") for test in group}
    return code, tuple(issues)


def _issue(test: UnitTest, message: str) -> Issue:
    hint = f"dbt test --select {test.name}"
    return Issue(Level.WARNING, test.unique_id, f"not compiled: {message}", hint)


def _overrides(test: UnitTest) -> Overrides:
    def of(kind: str) -> tuple[tuple[str, str], ...]:
        found = ((name, value) for each, name, value in test.overrides if each == kind)
        return tuple((name, json.dumps(value, default=str)) for name, value in found)

    macros = dict(of("macros"))
    macros.setdefault(_INCREMENTAL, "false")
    return Overrides(of("vars"), tuple(sorted(macros.items())))


def _asks_for_increments(model: str, artifacts: Artifacts) -> bool:
    """Whether the model, or a macro that it calls, asks if the run is incremental."""
    macros = section(artifacts.manifest, "macros")
    pending = [str(e) for e in items(section(artifacts.node(model), "depends_on"), "macros")]
    seen = set(pending)
    while pending:
        here = pending.pop()
        if here.endswith(f".{_INCREMENTAL}"):
            return True
        called = items(section(macros, here, "depends_on"), "macros")
        fresh = [str(each) for each in called if str(each) not in seen]
        seen.update(fresh)
        pending += fresh
    return False


def _compiled_by_last_run(artifacts: Artifacts) -> dict[str, str]:
    results = items(artifacts.run_results, "results")
    return {
        text(each, "unique_id"): text(each, "compiled_code")
        for each in results
        if isinstance(each, Mapping) and text(each, "compiled_code").strip()
    }


def _is_current(test: UnitTest, artifacts: Artifacts) -> bool:
    """Whether the test and its model were last read before the run: dbt reads what changed."""
    written = text(section(artifacts.run_results, "metadata"), "generated_at")
    try:
        ran = datetime.fromisoformat(written.replace("Z", "+00:00"))
    except ValueError:
        return False
    ran = ran if ran.tzinfo else ran.replace(tzinfo=UTC)
    unit = section(artifacts.manifest, "unit_tests", test.unique_id)
    made = [each.get("created_at") for each in (unit, artifacts.node(test.model))]
    return all(isinstance(each, int | float) and each <= ran.timestamp() for each in made)
