"""The invented projects that the shipped network learned from: every plan parses and links."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.pretrain.invented import Asked, Checker, read_project, read_questions

_ALL = sorted((Path(__file__).parents[1] / "tools/pretrain/projects").glob("*.yml"))
# All of them take minutes: `python -m tests.tools.pretrain.invented FOLDER/*.yml` looks at each.
PROJECTS = _ALL[::7]


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.stem)
def test_every_question_of_an_invented_project_has_a_sound_plan(path: Path) -> None:
    checker = Checker(read_project(path))
    asked = list(read_questions(path.with_suffix(".txt")))
    assert [a for a in asked if isinstance(a, str)] == []
    wrong = {a.line: said for a in asked if isinstance(a, Asked) and (said := checker.problem(a))}
    assert wrong == {}


MEANT = [path for path in PROJECTS if path.with_suffix(".meant").is_file()]


@pytest.mark.parametrize("path", MEANT, ids=lambda path: path.stem)
def test_every_value_that_is_meant_in_other_words_is_listed(path: Path) -> None:
    checker = Checker(read_project(path))
    asked = list(read_questions(path.with_suffix(".meant")))
    assert len(asked) >= 10
    wrong = {a if isinstance(a, str) else checker.problem(a, meant=True) for a in asked}
    assert wrong == {""}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("visits in 2025 => COUNT t:visits WHERE d:2024-01-01/2025-01-01", "not found"),
        ("fee of visits => c:visits.price", "nothing is called"),
        ("no shows => COUNT t:visits WHERE v:visits.visit_status=booked", "not found"),
        ("visits => COUNT", "does not bind"),
        ("visits by month => DESC COUNT t:visits", "does not bind"),
    ],
)
def test_a_wrong_plan_is_named(line: str, said: str, tmp_path: Path) -> None:
    (clinic,) = (p for p in _ALL if p.stem == "clinic")
    (tmp_path / "q.txt").write_text(line + "\n", "utf-8")
    (asked,) = read_questions(tmp_path / "q.txt")
    assert isinstance(asked, Asked)
    assert said in Checker(read_project(clinic)).problem(asked)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ('"v:visits.visit_status=no show"', "no listed value is meant"),
        ("v:visits.visit_status=vanished", "no listed value is meant"),
        ("v:visits.visit_status=cancelled d:2024-01-01/2025-01-01", "not found"),
        ("v:visits.visit_status=cancelled", ""),
    ],
)
def test_what_is_meant_in_other_words_is_a_listed_value(
    plan: str, said: str, tmp_path: Path
) -> None:
    (clinic,) = (p for p in _ALL if p.stem == "clinic")
    (tmp_path / "q.meant").write_text(f"no shows, called off => COUNT t:visits WHERE {plan}\n")
    (asked,) = read_questions(tmp_path / "q.meant")
    assert isinstance(asked, Asked)
    found = Checker(read_project(clinic)).problem(asked, meant=True)
    assert said in found and bool(said) == bool(found)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("COUNT t:visits WHERE v:visits.visit_status=cancelled d:2025-01-01/2026-01-01", ""),
        ("COUNT t:visits WHERE v:visits.visit_status=cancelled d:2025-03-01/2025-04-01", ""),
        ('COUNT t:visits WHERE "v:visits.visit_status=no show"', "not found"),
        ("COUNT t:visits WHERE d:2024-03-01/2024-04-01", "not found"),
    ],
)
def test_a_follow_up_takes_over_what_was_asked_before(plan: str, said: str, tmp_path: Path) -> None:
    (clinic,) = (p for p in _ALL if p.stem == "clinic")
    (tmp_path / "q.txt").write_text(f"only March, how many => {plan}\n")
    (asked,) = read_questions(tmp_path / "q.txt")
    assert isinstance(asked, Asked)
    before = (
        *("AVG", "c:visits.fee", "WHERE", "v:visits.visit_status=cancelled"),
        *("d:2025-01-01/2026-01-01", "END"),
    )
    found = Checker(read_project(clinic)).problem(asked, before=before)
    assert said in found and bool(said) == bool(found)
