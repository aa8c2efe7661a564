"""Settings: who wins, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_t2s.config import Settings, known_keys, load_settings, with_settings_block
from dbt_t2s.errors import ProjectError, UsageError


def project(tmp_path: Path, variables: str = "") -> Path:
    text = "name: shop\nversion: '1.0.0'\nprofile: shop\n" + variables
    (tmp_path / "dbt_project.yml").write_text(text)
    return tmp_path


def test_defaults_need_no_settings_block(tmp_path: Path) -> None:
    assert load_settings(project(tmp_path), {}) == Settings()


def test_flags_win_over_environment_over_project_over_vars(tmp_path: Path) -> None:
    where = project(
        tmp_path,
        "vars:\n"
        "  t2s: {seed: 1, minutes: 2, max_examples: 300, as_of: 2025-06-30, row_limit: 7}\n"
        "  shop:\n    t2s: {seed: 11, minutes: 12, max_examples: 1300}\n",
    )
    environ = {"DBT_T2S_SEED": "21", "DBT_T2S_MINUTES": "22", "DBT_T2S_DEBUG": "1", "HOME": "/"}
    settings = load_settings(where, environ, {"seed": 31, "base": None})
    assert (settings.seed, settings.minutes, settings.max_examples) == (31, 22.0, 1300)
    assert (settings.row_limit, settings.as_of, settings.base) == (7, "2025-06-30", "embedded")


def test_lists_may_be_written_as_dbt_does(tmp_path: Path) -> None:
    where = project(tmp_path, "vars: {t2s: {select: 'marts tag:core', exclude: [a, b]}}\n")
    settings = load_settings(where, {})
    assert settings.select == ("marts", "tag:core")
    assert settings.exclude == ("a", "b")


@pytest.mark.parametrize(
    ("variables", "environ", "flags", "told"),
    [
        ("vars: {t2s: {sede: 1}}", {}, {}, "unknown setting sede; did you mean seed?"),
        ("", {"DBT_T2S_MINUTE": "1"}, {}, "unknown setting DBT_T2S_MINUTE"),
        ("", {}, {"faill_under": 1}, "unknown setting --faill-under; did you mean --fail-under?"),
        ("vars: {t2s: {zzzz: 1}}", {}, {}, "unknown setting zzzz"),
    ],
)
def test_an_unknown_key_lists_the_known_ones(
    tmp_path: Path, variables: str, environ: dict[str, str], flags: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(project(tmp_path, variables), environ, flags)
    assert told in caught.value.what
    assert all(key in caught.value.hint for key in known_keys())
    assert caught.value.where
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("seed: -1", "seed should be a whole number of 0 or more, not -1"),
        ("seed: true", "seed should be a whole number"),
        ("seed: 1.5", "seed should be a whole number"),
        ("minutes: soon", "minutes should be a number of minutes above 0, not 'soon'"),
        ("minutes: .nan", "minutes should be a number"),
        ("fail_under: 85", "fail_under should be a share from 0 to 1, not 85"),
        ("as_of: 30.06.2025", "as_of should be a day like 2025-06-30"),
        ("as_of: 2025-06-30T10:00:00", "as_of should be a day like 2025-06-30"),
        ("select: {a: b}", "select should be a selector or a list of them"),
        ("base: 3", "base should be text, not 3"),
        (
            "fiscal_year_start: 13",
            "fiscal_year_start should be a month such as 2 or February, not 13",
        ),
        ("fiscal_year_named: both", "fiscal_year_named should be end or start, not 'both'"),
        ("row_limit: 0", "row_limit should be a whole number of 1 or more"),
    ],
)
def test_a_wrong_value_names_the_key_the_place_and_the_value(
    tmp_path: Path, setting: str, told: str
) -> None:
    where = project(tmp_path, f"vars:\n  t2s:\n    {setting}\n")
    with pytest.raises(UsageError) as caught:
        load_settings(where, {})
    assert told in caught.value.what
    assert str(where / "dbt_project.yml") in caught.value.where


def test_a_settings_block_that_is_no_mapping(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="should be a mapping, not 'fast'"):
        load_settings(project(tmp_path, "vars: {t2s: fast}\n"), {})


def test_no_project_a_broken_file_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no dbt project in") as caught:
        load_settings(tmp_path, {})
    assert "--project-dir" in caught.value.hint
    (tmp_path / "dbt_project.yml").write_text("name: [")
    with pytest.raises(ProjectError, match="cannot be read"):
        load_settings(tmp_path, {})
    (tmp_path / "dbt_project.yml").write_text("")
    with pytest.raises(ProjectError, match="empty"):
        load_settings(tmp_path, {})


def test_the_test_set_is_found_in_its_usual_place(tmp_path: Path) -> None:
    where = project(tmp_path)
    assert Settings().questions_path(where) is None
    (where / "t2s").mkdir()
    (where / "t2s" / "questions.jsonl").write_text("")
    assert Settings().questions_path(where) == where / "t2s" / "questions.jsonl"
    assert Settings(questions="x.jsonl").questions_path(where) == where / "x.jsonl"


@pytest.mark.parametrize(
    "variables",
    [
        "",
        "vars:\n    today: 1  # kept\n",
        "vars:\n  # a comment first\n  shop: {a: 1}\n",
        "vars:\nmodels: {}\n",
    ],
)
def test_the_settings_block_is_added_and_nothing_else_changes(
    tmp_path: Path, variables: str
) -> None:
    path = project(tmp_path, variables) / "dbt_project.yml"
    before = path.read_text()
    after = with_settings_block(before)
    assert after is not None
    assert set(before.splitlines()) <= set(after.splitlines())
    path.write_text(after)
    assert load_settings(tmp_path, {}) == Settings(seed=0)
    assert with_settings_block(after) is None


def test_a_layout_that_cannot_take_the_block_is_left_alone(tmp_path: Path) -> None:
    path = project(tmp_path, "vars: {today: 1}\n") / "dbt_project.yml"
    with pytest.raises(UsageError, match="cannot be added"):
        with_settings_block(path.read_text())


@pytest.mark.parametrize("written", ["2", "February", "feb"])
def test_the_month_in_which_fiscal_years_begin(tmp_path: Path, written: str) -> None:
    where = project(tmp_path, f"vars:\n  t2s:\n    fiscal_year_start: {written}\n")
    told = load_settings(where, {"DBT_T2S_FISCAL_YEAR_NAMED": "start"}).fiscal_year()
    assert told is not None and (told.month, told.named) == (2, "start")
    assert Settings().fiscal_year() is None  # then the project may say it


def test_the_budget_suits_the_base_where_none_is_set() -> None:
    assert (Settings().budget, Settings(base="org/model").budget) == (1.0, 2.0)
    assert Settings(minutes=7, base="org/model").budget == Settings(minutes=7).budget == 7
