"""What bad input gets: one clear message, exit 1 or 2, no traceback, nothing half written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.corpus.patterns import Pattern
from dbt_t2s.distilling import BusinessRules
from dbt_t2s.project.schema import ProjectSchema
from tests.conftest import ENVIRONMENT, run, t2s

Done = subprocess.CompletedProcess[str]


def assert_one_message(done: Done, *told: str) -> None:
    """One error that names the thing, the place and the next command."""
    shown = done.stdout + done.stderr
    assert done.returncode in (1, 2), shown
    assert "Traceback" not in shown, shown
    assert shown.count("error: ") == 1, shown
    message = shown[shown.index("error: ") :]
    assert "where:" in message, shown
    assert "next:" in message, shown
    for words in told:
        assert words.lower() in message.lower(), shown


def assert_whole(project: Path) -> None:
    """Every artefact that is there can be read, and nothing temporary lies about."""
    folder = project / "target" / "t2s"
    whole = {"schema.json": ProjectSchema, "rules.json": BusinessRules}
    rows = {"patterns.parquet": Pattern, "examples.parquet": Example}
    for name, cls in whole.items():
        if (folder / name).exists():
            store.read_json(folder / name, cls)
    for name, cls in rows.items():
        if (folder / name).exists():
            store.read_rows(folder / name, cls)


def leftovers(project: Path) -> list[Path]:
    return [path for path in (project / "target").rglob("*") if store.TEMPORARY in path.name]


# -- the project ----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["init", "distill", "mine", "generate", "train", "validate"])
def test_outside_a_dbt_project(tmp_path: Path, verb: str) -> None:
    done = t2s(verb, cwd=tmp_path)
    assert_one_message(done, "dbt project", str(tmp_path), "--project-dir")
    assert list(tmp_path.iterdir()) == []


def test_a_project_dir_that_does_not_exist(tmp_path: Path) -> None:
    done = t2s("train", "--project-dir", "nowhere", cwd=tmp_path)
    assert_one_message(done, "dbt project", "nowhere")


def test_a_broken_project_file(shop: Path) -> None:
    (shop / "dbt_project.yml").write_text("name: [")
    assert_one_message(t2s("distill", cwd=shop), "dbt_project.yml")


def test_a_profile_that_does_not_exist(shop: Path) -> None:
    assert_one_message(t2s("distill", "--profile", "nope", cwd=shop), "nope", "profiles.yml")


def test_dbt_that_is_not_installed(shop: Path, tmp_path: Path) -> None:
    # Hides the package from Python itself, in this process and in every child of it.
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "def hidden(name, *more):\n"
        "    return None if name.partition('.')[0] == 'dbt' else find(name, *more)\n"
        "PathFinder.find_spec = hidden\n"
    )
    (shop / "target" / "manifest.json").unlink()
    done = t2s("distill", cwd=shop, env={"PYTHONPATH": str(tmp_path / "hide")})
    assert_one_message(done, "dbt is not installed", "pip install")


def test_a_model_that_dbt_cannot_compile(shop: Path) -> None:
    (shop / "models" / "broken.sql").write_text("select * from {{ ref('nothing_here') }}")
    assert_one_message(t2s("distill", cwd=shop), "nothing_here")


def test_a_manifest_of_an_unknown_version(shop: Path) -> None:
    path = shop / "target" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["metadata"]["dbt_schema_version"] = "https://schemas.getdbt.com/dbt/manifest/v99.json"
    path.write_text(json.dumps(manifest))
    done = t2s("distill", cwd=shop)
    shown = done.stdout + done.stderr
    assert "Traceback" not in shown
    assert "v99" in shown
    assert "manifest" in shown
    assert "next:" in shown


def test_a_manifest_that_is_cut_short_is_made_again(shop: Path) -> None:
    path = shop / "target" / "manifest.json"
    path.write_text(path.read_text()[:1000])
    done = t2s("distill", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "dbt docs generate" in done.stderr
    assert json.loads(path.read_text())["nodes"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("catalog.json", b"[" * 100_000), ("semantic_manifest.json", "{}x".encode("utf-16"))],
)
def test_an_artifact_that_is_broken_is_made_again(shop: Path, name: str, content: bytes) -> None:
    (shop / "target" / name).write_bytes(content)
    done = t2s("distill", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert f"broken ({name}: " in done.stderr
    assert "dbt docs generate" in done.stderr
    json.loads((shop / "target" / name).read_bytes())


def test_run_results_that_are_broken_are_told_of(shop: Path) -> None:
    (shop / "target" / "run_results.json").write_bytes(b'{"results": "\xff"}')
    done = t2s("distill", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    for words in ("run_results.json", "not JSON", "dbt build"):
        assert words in done.stderr, done.stderr


def test_a_manifest_that_is_too_large_is_refused_at_once(shop: Path) -> None:
    with (shop / "target" / "manifest.json").open("wb") as sparse:
        sparse.truncate(5 << 30)
    later = time.time() + 60
    os.utime(shop / "target" / "manifest.json", (later, later))
    done = t2s("distill", cwd=shop)
    assert_one_message(done, "manifest.json", "5.0 GiB", "no more than 1 GiB")
    assert "running dbt" not in done.stderr


def test_no_catalog_is_made_on_demand(shop: Path) -> None:
    (shop / "target" / "catalog.json").unlink()
    done = t2s("distill", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "dbt docs generate" in done.stderr
    assert (shop / "target" / "catalog.json").exists()


# -- the warehouse --------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False], ids=["empty", "missing"])
def test_without_a_warehouse_rows_are_made_up_and_no_answer_shows_them(
    shop: Path, there: bool
) -> None:
    import duckdb

    (shop / "shop.duckdb").unlink()
    if there:
        duckdb.connect(str(shop / "shop.duckdb")).close()
    done = t2s("train", "--minutes", "0.1", "--max-examples", "200", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "all tables are made up" in done.stderr
    assert "dbt build" in done.stderr
    assert_whole(shop)
    done = t2s("ask", "How many orders?", "--json", cwd=shop)
    found = json.loads(done.stdout)
    assert (found["status"], found["columns"], found["rows"]) == ("ok", ["orders_count"], [])
    assert "dbt build" in found["reason"]


def test_where_a_table_is_missing_the_others_answer_with_their_own_rows(shop: Path) -> None:
    import duckdb

    with duckdb.connect(str(shop / "shop.duckdb")) as connection:
        connection.execute("drop view main.customers")
    done = t2s("train", "--minutes", "0.1", "--max-examples", "200", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "made up to check SQL on: customers" in done.stderr
    found = json.loads(t2s("ask", "How many orders?", "--json", cwd=shop).stdout)
    assert (found["status"], found["rows"], found["reason"]) == ("ok", [[120]], "")
    found = json.loads(t2s("ask", "How many customers?", "--json", cwd=shop).stdout)
    assert (found["status"], found["rows"]) == ("error", [])
    assert "customers" in found["reason"]


@pytest.mark.parametrize("there", [True, False], ids=["empty", "missing"])
def test_a_project_is_distilled_before_anything_is_built(shop: Path, there: bool) -> None:
    import duckdb

    (shop / "shop.duckdb").unlink()
    (shop / "target" / "catalog.json").write_text('{"nodes": {}, "sources": {}}')
    if there:
        duckdb.connect(str(shop / "shop.duckdb")).close()
    done = t2s("distill", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "2 tables, 8 columns" in done.stdout
    assert done.stderr.count("shop.duckdb") == 1, done.stderr
    assert "dbt build" in done.stderr
    schema = store.read_json(shop / "target" / "t2s" / "schema.json", ProjectSchema)
    warnings = [issue for issue in schema.issues if issue.where == "shop.duckdb"]
    assert [issue.hint for issue in warnings] == ["dbt build"]
    assert all(table.rows is None for table in schema.tables)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 500])
def test_a_warehouse_that_is_no_database(shop: Path, content: bytes) -> None:
    (shop / "shop.duckdb").write_bytes(content)
    assert_one_message(t2s("generate", cwd=shop), "shop.duckdb", "dbt build")
    assert_whole(shop)


def test_a_warehouse_that_another_process_writes_to(shop: Path) -> None:
    code = (
        "import duckdb, sys, time; c = duckdb.connect('shop.duckdb'); "
        "print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=shop, stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            assert_one_message(t2s("generate", cwd=shop), "shop.duckdb", "another process")
        finally:
            holder.kill()
    assert_whole(shop)


# -- settings -------------------------------------------------------------------------------------


def test_an_unknown_settings_key(shop: Path) -> None:
    with (shop / "dbt_project.yml").open("a") as file:
        file.write("vars: {t2s: {minuets: 3}}\n")
    done = t2s("train", cwd=shop)
    assert_one_message(done, "minuets", "did you mean minutes?", "dbt_project.yml", "max_examples")
    assert done.returncode == 2


def test_a_wrong_value_in_the_environment(shop: Path) -> None:
    done = t2s("train", cwd=shop, env={"DBT_T2S_SEED": "seven"})
    assert_one_message(done, "DBT_T2S_SEED", "'seven'", "environment")
    assert done.returncode == 2


@pytest.mark.parametrize("base", ["no/such/model/folder", "./nowhere", "embeded"])
def test_a_base_model_that_does_not_exist(shop: Path, base: str) -> None:
    done = t2s("train", "--base", base, cwd=shop)
    assert_one_message(done, base, "--base")
    assert not (shop / "target" / "t2s" / "model").exists()
    # Said before the long work begins.
    assert not (shop / "target" / "t2s" / "examples.parquet").exists()


def test_a_test_set_that_does_not_exist(shop: Path) -> None:
    assert_one_message(t2s("train", "--questions", "none.jsonl", cwd=shop), "none.jsonl")


# -- the disk -------------------------------------------------------------------------------------

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from dbt_t2s.cli import main
sys.argv = ["dbt-t2s", *sys.argv[1:]]
main()
"""


def t2s_on_a_full_disk(*arguments: str, cwd: Path) -> Done:
    """Runs ``dbt-t2s`` where no file can grow over 1,000 bytes."""
    return run([sys.executable, "-c", LIMITED, *arguments], cwd)


def test_a_full_disk(shop: Path) -> None:
    assert t2s("mine", cwd=shop).returncode == 0
    schema = (shop / "target" / "t2s" / "schema.json").read_bytes()
    (shop / "target" / "t2s" / "patterns.parquet").unlink()
    done = t2s_on_a_full_disk("mine", cwd=shop)
    assert_one_message(done, "no room on the disk", "patterns.parquet", "df -h")
    # Settings that change the schema, so that it and all before it has to be written again.
    done = t2s_on_a_full_disk("distill", "--as-of", "2025-01-01", cwd=shop)
    assert_one_message(done, "free some space")
    assert (shop / "target" / "t2s" / "schema.json").read_bytes() == schema
    assert not (shop / "target" / "t2s" / "patterns.parquet").exists()
    assert leftovers(shop) == []
    assert_whole(shop)


def test_a_folder_that_cannot_be_written(shop: Path) -> None:
    (shop / "target" / "t2s").write_text("a file where the folder should be")
    assert_one_message(t2s("distill", cwd=shop), "t2s", "--target-path")


def test_an_artefact_that_is_cut_short_is_made_again(shop: Path) -> None:
    assert t2s("mine", cwd=shop).returncode == 0
    for name in ("schema.json", "patterns.parquet"):
        path = shop / "target" / "t2s" / name
        path.write_bytes(path.read_bytes()[:100])
    readings = sorted((shop / "target" / "t2s" / "readings").glob("*.parquet"))
    assert [path.stem for path in readings] == ["answers", "asked", "nodes", "queries"]
    for path in readings:  # their ends, which say what they are, stay whole
        content = path.read_bytes()
        path.write_bytes(content[:8] + bytes(24) + content[32:])
    done = t2s("mine", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert_whole(shop)


def test_an_artefact_that_was_edited_is_named(trained_shop_copy: Path) -> None:
    path = trained_shop_copy / "target" / "t2s" / "schema.json"
    path.write_text(path.read_text().replace("One row per order.", "One row per invoice."))
    done = t2s("ask", "how many orders are there?", cwd=trained_shop_copy)
    assert_one_message(done, "schema.json", "changed", "dbt-t2s")


@pytest.mark.parametrize("seconds", [1.0, 2.5, 4.0])
def test_a_kill_in_the_middle_leaves_whole_artefacts(shop: Path, seconds: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dbt_t2s", "train", "--minutes", "0.05", "--max-examples", "300"],
        cwd=shop,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert_whole(shop)
    again = t2s("generate", "--max-examples", "300", cwd=shop)
    assert again.returncode == 0, again.stderr
    assert leftovers(shop) == []
    assert_whole(shop)


def test_ctrl_c_is_one_line(shop: Path) -> None:
    (shop / "target" / "manifest.json").unlink()  # so that dbt runs, which takes seconds
    process = subprocess.Popen(
        [sys.executable, "-m", "dbt_t2s", "distill"],
        cwd=shop,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Programs started in the background inherit that it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    said = process.stderr.readline()  # dbt is being run now, which takes seconds
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    out, err = process.communicate(timeout=60)
    err = said + err
    assert process.returncode == 130, err
    assert "Traceback" not in out + err
    assert "stopped by the user" in err


# -- questions ------------------------------------------------------------------------------------


def test_asking_before_training(shop: Path) -> None:
    done = t2s("ask", "how many orders are there?", cwd=shop)
    assert_one_message(done, "no trained model", "dbt-t2s train")


NO_QUESTIONS = {
    "empty": "",
    "blank": "   \t ",
    "long": "how many orders " * 700,
    "german": "Wie viele Bestellungen gab es im letzten Monat pro Land?",
    "japanese": "昨年の注文数はいくつですか",
    "injection": "'; drop table orders; --",
    "injection2": "1 union select name from customers; delete from orders",
}


@pytest.mark.parametrize("question", NO_QUESTIONS.values(), ids=NO_QUESTIONS)
def test_a_question_that_cannot_be_one(trained_shop: Path, question: str) -> None:
    assert_one_message(t2s("ask", question, cwd=trained_shop))


def test_questions_that_cannot_be_one_among_others(trained_shop: Path, tmp_path: Path) -> None:
    asked = [*NO_QUESTIONS.values(), "How many orders?"]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps({"question": each}) + "\n" for each in asked))
    done = t2s("ask", "--file", str(path), cwd=trained_shop)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(asked)
    assert {each["status"] for each in answers[:-1]} <= {"refused", "error"}
    assert answers[-1]["status"] == "ok"


def test_control_characters_in_a_question(trained_shop: Path, tmp_path: Path) -> None:
    # A shell cannot pass a NUL; a file can.
    path = tmp_path / "nul.jsonl"
    path.write_text(json.dumps({"question": "how many\x00 orders\x1b[2J?"}) + "\n")
    done = t2s("ask", "--file", str(path), cwd=trained_shop)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert json.loads(done.stdout)["status"] in ("ok", "refused", "error")


def test_a_question_file_with_bad_lines(trained_shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "how many orders are there?"}\n{"question": \n')
    assert_one_message(t2s("ask", "--file", str(path), cwd=trained_shop), "questions.jsonl", "2")
    assert_one_message(t2s("ask", "--file", "none.jsonl", cwd=trained_shop), "none.jsonl")


def test_no_question_at_all(trained_shop: Path) -> None:
    done = t2s("ask", cwd=trained_shop)
    assert_one_message(done, "--file")
    assert done.returncode == 2


# -- another writer -------------------------------------------------------------------------------


def test_two_trainings_do_not_write_at_once(shop: Path) -> None:
    with store.lock(shop / "target" / "t2s", "train"):
        assert_one_message(t2s("train", cwd=shop), "another dbt-t2s", str(os.getpid()))
