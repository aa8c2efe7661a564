"""The verb ``check`` on a tiny trained project, with the real dbt."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dbt_t2s import store
from dbt_t2s.check.effects import written
from dbt_t2s.check.findings import Effect, Findings, Harm, accepted, baseline_of
from dbt_t2s.check.forms import to_lines, to_markdown
from dbt_t2s.check.sarif import to_github
from dbt_t2s.check.state import with_data_of
from dbt_t2s.duck import open_writable
from dbt_t2s.errors import UsageError
from dbt_t2s.project.diff import CODES, Change
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bind import Binder
from dbt_t2s.sql import parse_one
from tests.conftest import dbt, t2s
from tests.model.shop_schema import shop_schema

ORDERS = (
    "select id as order_id, customer_id, status as state, amount, ordered_on"
    " from {{ ref('raw_orders') }}\n"
)


@pytest.fixture(scope="module")
def production(trained_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The target folder of a run before any change."""
    return Path(
        shutil.copytree(trained_shop / "target", tmp_path_factory.mktemp("state") / "target")
    )


@pytest.fixture(scope="module")
def renamed(trained_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a column of a mart renamed, and built."""
    folder = Path(shutil.copytree(trained_shop, tmp_path_factory.mktemp("renamed") / "shop"))
    (folder / "models/orders.sql").write_text(ORDERS)
    schema = folder / "models/schema.yml"
    schema.write_text(schema.read_text().replace("- name: status", "- name: state"))
    dbt("build", cwd=folder)
    return folder


def test_an_unchanged_project_passes(trained_shop_copy: Path, production: Path) -> None:
    done = t2s("check", "--state", str(production), cwd=trained_shop_copy)
    assert done.returncode == 0, done.stderr
    assert "nothing changed that questions depend on" in done.stdout
    assert "the model was trained on this schema" in done.stdout


def test_the_model_of_production_is_told_of_where_there_is_none_here(
    trained_shop_copy: Path, production: Path
) -> None:
    (trained_shop_copy / "target/t2s/trained.json").unlink()
    done = t2s("check", "--state", str(production), cwd=trained_shop_copy)
    assert done.returncode == 0, done.stderr
    assert "the model was trained on this schema" in done.stdout


def test_a_rename_is_named_with_the_questions_it_breaks(
    renamed: Path, production: Path, tmp_path: Path
) -> None:
    forms = {name: tmp_path / name for name in ("c.md", "c.xml", "c.sarif", "accepted.txt")}
    done = t2s(
        *("check", "--state", str(production), "--json", "--comment-file", str(forms["c.md"])),
        *("--junit", str(forms["c.xml"]), "--sarif", str(forms["c.sarif"])),
        *("--write-baseline", str(forms["accepted.txt"])),
        cwd=renamed,
    )
    assert done.returncode == 1
    assert "the check fails: 1 breaking change" in done.stderr
    found = json.loads(done.stdout)
    assert [(c["code"], c["what"], c["after"]) for c in found["changes"]] == [
        ("T2S203", "orders.status", "state")
    ]
    assert found["model_is_stale"] is True
    assert {q["harm"] for q in found["questions"]} == {"broken"}
    assert all("status" in q["reason"] for q in found["questions"])
    asked = found["examples"]
    assert 0 < len(found["questions"]) < asked
    comment = forms["c.md"].read_text()
    assert len(comment.splitlines()) < 60
    assert "orders.status is called state now" in comment
    assert ElementTree.parse(forms["c.xml"]).find(".//failure") is not None
    sarif = json.loads(forms["c.sarif"].read_text())
    assert sarif["runs"][0]["results"][0]["ruleId"] == "T2S203"
    done = t2s(
        "check", "--state", str(production), "--baseline", str(forms["accepted.txt"]), cwd=renamed
    )
    assert done.returncode == 0, done.stderr
    assert "1 accepted before" in done.stdout


def test_other_rows_and_the_answers_that_they_change_are_named(
    trained_shop_copy: Path, production: Path, tmp_path: Path
) -> None:
    model = trained_shop_copy / "models/orders.sql"
    model.write_text(f"{model.read_text()} where status <> 'cancelled'")
    (trained_shop_copy / "t2s").mkdir(exist_ok=True)
    golds = {"how many orders are open?": "status = 'open'", "how many orders?": "true"}
    (trained_shop_copy / "t2s/questions.jsonl").write_text(
        "".join(
            json.dumps({"question": q, "sql": f"select count(*) from orders where {where}"}) + "\n"
            for q, where in golds.items()
        )
    )
    with open_writable(trained_shop_copy / "shop.duckdb") as connection:
        connection.execute(
            "create table t2s_log as select now() as logged_at, 'the dearest order?' as question,"
            " 'ok' as status, 'select max(amount) from orders' as sql_text, 'dev' as target_name"
            " union all select now(), 'who buys?', 'ok', 'select name from customers', 'dev'"
            " union all select now(), 'cancelled?', 'ok',"
            " $$select count(*) from orders where status = 'cancelled'$$, 'dev'"
        )
    dbt("compile", cwd=trained_shop_copy)
    done = t2s("check", "--state", str(production), "--json", cwd=trained_shop_copy)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (rows,) = (each for each in found["changes"] if each["code"] == "T2S105")
    assert (rows["what"], rows["before"], rows["after"]) == ("orders", "120 rows", "80 rows")
    assert rows["path"] == "models/orders.sql"
    assert found["questions_of_people"] == 5
    assert found["not_compared"] == []
    asked = {(q["question"], q["source"]) for q in found["questions"] if q["source"] != "example"}
    assert asked == {("how many orders?", "test question"), ("cancelled?", "logged question")}
    assert {q["harm"] for q in found["questions"]} == {"changed"}
    assert len(found["questions"]) > 10
    done = t2s(
        *("check", "--state", str(production), "--fail-on", "degrading"), cwd=trained_shop_copy
    )
    assert done.returncode == 1
    (production_without := tmp_path / "state" / "t2s").mkdir(parents=True)
    for name in ("schema.json", "examples.parquet"):
        shutil.copy(production / "t2s" / name, production_without)
    done = t2s("check", "--state", str(production_without.parent), cwd=trained_shop_copy)
    assert "the state has no manifest.json" in done.stdout
    assert not (trained_shop_copy / "target/t2s/check").exists()
    for gone in ("models/customers.sql", "analyses/revenue.sql"):
        (trained_shop_copy / gone).unlink()
    dbt("docs", "generate", cwd=trained_shop_copy)
    done = t2s("check", "--state", str(production_without.parent), cwd=trained_shop_copy)
    assert done.returncode == 1
    assert "T2S101  the table customers is gone" in done.stdout
    assert "Traceback" not in done.stderr


def test_dbts_own_artifacts_are_a_state(renamed: Path, production: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    for name in ("manifest.json", "catalog.json", "semantic_manifest.json"):
        shutil.copy(production / name, state)
    done = t2s("check", "--state", str(state), "--github", cwd=renamed)
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=models/orders.sql,title=T2S203::")


def test_other_data_is_no_change_of_how_a_question_is_written() -> None:
    now = shop_schema()
    gaps = {"null_share": 0.1, "distinct": 3, "minimum": "0", "maximum": "9"}

    def counted(gaps_in: frozenset[str], rows: int | None) -> ProjectSchema:
        tables = (
            replace(
                table,
                rows=rows,
                columns=tuple(
                    replace(c, **(gaps if c.name in gaps_in else dict.fromkeys(gaps)))
                    for c in table.columns
                ),
            )
            for table in now.tables
        )
        return replace(now, tables=tuple(tables))

    here = counted(frozenset({"channel"}), 100)
    plan = ("c:orders.channel", "m:revenue", "DESC", "m:revenue", "LIMIT", "n:3", "END")
    written_now = written(Binder(here), plan, here)
    assert "is not null" in str(written_now).lower()
    for before in (counted(frozenset(), None), counted(frozenset({"status", "country"}), 7)):
        moved = with_data_of(before, here)
        assert written(Binder(moved), plan, moved) == written_now


def test_other_models_can_be_left_out(renamed: Path, production: Path) -> None:
    done = t2s("check", "--state", str(production), "--select", "customers", cwd=renamed)
    assert "nothing changed" in done.stdout
    assert done.returncode == 0, done.stderr


def test_stale_can_be_what_fails(renamed: Path, production: Path) -> None:
    done = t2s("check", "--state", str(production), "--fail-on", "stale", cwd=renamed)
    assert done.returncode == 1
    assert "the model was trained on another schema" in done.stderr
    assert "never met 1 names (orders.state) and learned 1 that are gone (orders.sta" in done.stdout


def test_states_that_are_none(trained_shop_copy: Path, production: Path, tmp_path: Path) -> None:
    def fails(state: Path, *flags: str) -> str:
        done = t2s("check", "--state", str(state), *flags, cwd=trained_shop_copy)
        assert done.returncode == 2
        assert "next:" in done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "no manifest.json" in fails(tmp_path / "nowhere")
    assert "nothing to compare with" in fails(trained_shop_copy / "target")
    torn = tmp_path / "torn"
    (torn / "t2s").mkdir(parents=True)
    whole = (production / "t2s/schema.json").read_text()
    (torn / "t2s/schema.json").write_text(whole[: len(whole) // 2])
    assert "cannot be read" in fails(torn)
    whole = (production / "manifest.json").read_text()
    (torn / "manifest.json").write_text(whole[: len(whole) // 2])
    assert "copy the target folder again" in fails(torn)
    other = tmp_path / "other"
    schema = store.read_json(production / "t2s/schema.json", ProjectSchema)
    store.write_json(other / "t2s/schema.json", replace(schema, project="zoo"))
    assert "project zoo" in fails(other)
    bad = tmp_path / "accepted.txt"
    bad.write_text("T2S999 orders\n")
    assert "no finding T2S999" in fails(production, "--baseline", str(bad))
    assert "breaking" in fails(production, "--fail-on", "everything")
    assert "no selector" in fails(production, "--select", "--full-refresh")


def test_train_goes_on_from_a_model(renamed: Path, production: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(renamed, tmp_path / "shop"))
    shutil.rmtree(copy / "target/t2s/model")
    none = t2s("train", "--from", str(copy), cwd=copy)
    assert (none.returncode, "no embedded model" in none.stderr) == (2, True)
    done = t2s("train", "--from", str(production / "t2s/model"), "--minutes", "0.1", cwd=copy)
    assert done.returncode == 0, done.stderr
    asked = t2s("ask", "how many orders are there?", "--json", cwd=copy)
    assert json.loads(asked.stdout)["rows"] == [[120]]


def test_a_model_of_another_version_is_stale(trained_shop_copy: Path, production: Path) -> None:
    path = trained_shop_copy / "target/t2s/trained.json"
    path.write_text(path.read_text().replace('"minutes"', '"hours"'))
    done = t2s("check", "--state", str(production), "--json", cwd=trained_shop_copy)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model_is_stale"] is True


def test_fix_trains_again(renamed: Path, production: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(renamed, tmp_path / "shop"))
    project = copy / "dbt_project.yml"
    project.write_text(project.read_text() + "\nvars: {t2s: {minutes: 0.1}}\n")
    done = t2s(
        "check", "--state", str(production), "--fix", "--json", "--fail-on", "stale", cwd=copy
    )
    assert done.returncode == 0, done.stderr
    assert "the model went on" in done.stderr
    assert json.loads(done.stdout)["project"] == "shop"


@pytest.mark.parametrize("dialect", ["duckdb", "snowflake", "bigquery"])
def test_a_plan_is_written_in_the_projects_dialect(dialect: str) -> None:
    schema = replace(shop_schema(), dialect=dialect)
    tokens = ("m:revenue", "WHERE", "d:2025-01-01/2025-07-01", "END")
    now = written(Binder(schema), tokens, schema)
    assert isinstance(now, str)
    assert parse_one(now, dialect)


def findings(number: int) -> Findings:
    codes = sorted(CODES)
    changed = tuple(
        Change(codes[n % len(codes)], f"t{n}.c", f"t{n}.c | changed\nagain", "a" * 500, "b" * 500)
        for n in range(number)
    )
    harms = tuple(Effect(list(Harm)[n % 2], f"q{n}?", "example", "r" * 300) for n in range(number))
    unproven = tuple(f"of q{n}?: " + "u" * 300 for n in range(number))
    return Findings("shop", changed, 0, harms, number, number, unproven, stale=True)


@pytest.mark.parametrize("number", [0, 1, 10, 3_000])
def test_a_comment_stays_short_whatever_changes(number: int) -> None:
    comment = to_markdown(findings(number))
    assert len(comment.splitlines()) < 60
    assert max(map(len, comment.splitlines())) < 400


def test_lines_and_annotations_are_one_line_each() -> None:
    found = findings(40)
    assert all("\n" not in line for line in to_github(found))
    assert sum(len(line) > 300 for line in to_lines(found)) == 25  # the reasons, as they are


def test_a_baseline_reads_what_it_wrote(tmp_path: Path) -> None:
    found = findings(5)
    path = tmp_path / "accepted.txt"
    path.write_text(baseline_of(found.changes))
    known = accepted(("T2S703",), path)
    assert all(known.accepts(change) for change in found.changes)
    assert known.accepts(Change("T2S703", "anything", ""))
    assert not known.accepts(Change("T2S101", "orders", ""))
    with pytest.raises(UsageError, match="no finding"):
        accepted(("T2S9",))
