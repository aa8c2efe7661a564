"""query_log: statements that people ran, from a file or a column of the warehouse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import duck, store
from dbt_t2s.corpus import query_log
from dbt_t2s.corpus.patterns import Pattern
from dbt_t2s.corpus.query_log import Log
from dbt_t2s.duck import QueryError, Rows
from dbt_t2s.errors import CorpusError, UsageError
from tests.conftest import t2s

FIRST = "select count(*) from orders where note = 'a;b' -- all; of them"
SECOND = "select city,\n  sum(amount)\nfrom orders group by city"


def read(path: Path, text: str | None = None) -> Log:
    if text is not None:
        path.write_text(text, encoding="utf-8")
    return query_log.read(path.name, path.parent, None, lambda code: code.replace("hunter2", "***"))


def codes(log: Log) -> list[str]:
    return [code for _, code in log.statements]


def test_a_script_is_split_at_the_ends_of_its_statements(tmp_path: Path) -> None:
    log = read(tmp_path / "log.sql", f"\n{FIRST}\n;\n\n{SECOND};;\nselect $a$ ; $a$, 'hunter2'\n")
    assert codes(log) == [FIRST, SECOND, "select $a$ ; $a$, '***'"]
    assert [where for where, _ in log.statements] == ["log.sql:2", "log.sql:5", "log.sql:8"]


def test_a_script_without_semicolons_is_one_statement_or_one_a_line(tmp_path: Path) -> None:
    assert codes(read(tmp_path / "a.sql", SECOND)) == [SECOND]
    log = read(tmp_path / "b.sql", "select 1\n\nwith a as (select 2) select * from a\n(select 3)\n")
    assert [where for where, _ in log.statements] == ["b.sql:1", "b.sql:3", "b.sql:4"]


def test_json_lines_are_read_and_bad_ones_said_once(tmp_path: Path) -> None:
    good = [json.dumps({"user": "a", "SQL": FIRST}), json.dumps({"query_text": SECOND})]
    bad = ["{", '{"sql": 1}', "[]", '{"x": ""}', *["{"] * 5]
    log = read(tmp_path / "log.jsonl", "\n".join([good[0], *bad, good[1], ""]))
    assert codes(log) == [FIRST, SECOND]
    assert [(each.where, each.message) for each in log.issues] == [
        ("log.jsonl:2, 6, 7, …", "lines left out because each is no JSON: 6"),
        (
            "log.jsonl:3, 5",
            "lines left out because each has no text under sql, query_text, query or"
            " statement_text: 2",
        ),
        ("log.jsonl:4", "lines left out because each is no JSON object: 1"),
    ]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_are_read_by_column(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"it's a log.{suffix}"
    with duckdb.connect() as connection:
        connection.execute('create table log (ran_on date, "Query_Text" varchar)')
        rows = [(None, FIRST), (None, None), (None, SECOND)]
        connection.executemany("insert into log values (?, ?)", rows)
        if suffix == "csv":
            connection.table("log").write_csv(str(path))
        else:
            connection.table("log").write_parquet(str(path))
    log = read(path)
    assert codes(log) == [FIRST, SECOND]
    assert [where for where, _ in log.statements] == [f"{path.name}:1", f"{path.name}:3"]


def test_a_table_of_one_column_of_long_texts(tmp_path: Path) -> None:
    long = "select '" + "x" * 300_000 + "', 1"
    assert codes(read(tmp_path / "log.csv", f'sql\n"{long}"\nselect 2\n')) == [long, "select 2"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("log.csv", b"id,statement\n1,select 1\n", "no column sql, query_text"),
        ("log.csv", b"id,statement\n1,select 1\n", "it has id, statement"),
        ("log.parquet", b"PAR1 no more", "cannot be read"),
        ("log.csv", b"sql\n\xff\xfe\xff", "cannot be read"),
        ("log.sql", b"select '\xff'", "cannot be read"),
        ("log.jsonl", b"\xff{}", "cannot be read"),
        ("log.jsonl", b'{"statement": "select 1"}', "no line of the query log can be read"),
    ],
)
def test_a_bad_file_is_named_with_the_next_step(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=told) as caught:
        read(tmp_path / name)
    assert name in caught.value.where
    assert caught.value.hint


@pytest.mark.parametrize("name", ["log.sql", "log.jsonl"])
def test_an_empty_log_is_said(tmp_path: Path, name: str) -> None:
    log = read(tmp_path / name, "\n ;\n" if name == "log.sql" else "\n\n")
    assert log.statements == ()
    assert "no statement" in log.issues[0].message


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    for setting, told in (("gone.sql", "no query log gone.sql"), ("log.txt", "neither a file")):
        with pytest.raises(UsageError, match=told):
            query_log.file_of(setting, tmp_path)
    assert query_log.file_of("main.log:sql", tmp_path) is None


def test_a_column_of_the_warehouse(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with duck.open_writable(path) as connection:
        connection.execute('create table "my log" ("the sql" varchar)')
        connection.execute('insert into "my log" values (?), (null), (?)', [FIRST, SECOND])
    connection = duck.open_read_only(path)

    def execute(code: str) -> Rows | QueryError:
        return duck.run(connection, code)

    log = query_log.read('main."my log":the sql', tmp_path, execute, str)
    assert codes(log) == [FIRST, SECOND]
    with pytest.raises(CorpusError, match="nothing") as caught:
        query_log.read("main.nothing:sql", tmp_path, execute, str)
    assert "query_log main.nothing:sql" in caught.value.where
    with pytest.raises(CorpusError, match="no DuckDB file"):
        query_log.read("main.nothing:sql", tmp_path, None, str)


def test_what_is_beyond_the_limit_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_log, "MAX_STATEMENTS", 2)
    for name, head in (("log.sql", ""), ("log.csv", "sql\n")):
        log = read(tmp_path / name, head + "select 1\nselect 2\nselect 3\n")
        assert len(log.statements) == 2
        assert "longer than 2 statements" in log.issues[0].message


@given(st.lists(st.sampled_from(["select 1", "'a;b'", '"x;y"', "-- c;\n", "/* ; */", "\n"])))
def test_a_script_is_cut_only_between_statements(parts: list[str]) -> None:
    one = "select 0 " + " ".join(parts)
    found = query_log._split(f"{one};\n{one}\n;")
    assert [code for _, code in found] == [one.strip(), one.strip()]


def test_mine_reads_the_log_and_reads_it_again_when_it_changes(
    built_shop: Path, tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(built_shop, shop)
    env = {"DBT_T2S_QUERY_LOG": "log.sql"}
    gone = t2s("mine", cwd=shop, env=env)
    assert gone.returncode == 2
    assert "there is no query log log.sql" in gone.stderr
    log = shop / "log.sql"
    for number, code in ((1, "select 17 as x from orders where 1 = 1 limit 17"), (0, "select 1")):
        log.write_text(code)
        done = t2s("mine", cwd=shop, env=env)
        assert done.returncode == 0, done.stderr
        patterns = store.read_rows(shop / "target" / "t2s" / "patterns.parquet", Pattern)
        assert sum("log.sql:1" in each.sources for each in patterns) == number
