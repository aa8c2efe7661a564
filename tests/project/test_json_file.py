"""json_file: whatever lies where an artifact should be is read, or refused by its name."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.errors import ProjectError
from dbt_t2s.project import artifacts, json_file
from dbt_t2s.project.json_file import (
    CATALOG,
    MANIFEST,
    MAX_BYTES,
    MAX_DEPTH,
    RUN_RESULTS,
    SEMANTIC_MANIFEST,
    ArtifactFile,
    load,
)
from dbt_t2s.project.schema import Issue

ALL = (MANIFEST, CATALOG, SEMANTIC_MANIFEST, RUN_RESULTS)
GOOD = b'{"metadata": {}, "extra": {"model.a": {"name": "caf\xc3\xa9"}}}'

REFUSED = {
    "empty": (b"", "it is empty"),
    "blank": (b" \r\n\t", "it is empty"),
    "cut": (GOOD[:-1], "cut short or not JSON"),
    "cut in a string": (GOOD[:50], "cut short or not JSON"),
    "more after it": (GOOD + b"}", "cut short or not JSON"),
    "NUL at the end": (GOOD + b"\0", "cut short or not JSON"),
    "NUL inside": (GOOD.replace(b"caf", b"c\0f"), "cut short or not JSON"),
    "Latin-1": (GOOD.replace(b"\xc3\xa9", b"\xe9"), "cut short or not JSON"),
    "odd UTF-16": (GOOD.decode().encode("utf-16")[:-1], "cut short or not JSON"),
    "compressed": (b"\x1f\x8b\x08\0" + bytes(range(256)), "cut short or not JSON"),
    "a page": (b"<!doctype html><title>404</title>", "cut short or not JSON"),
    "a number of 5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}", "cut short or not JSON"),
    "null": (b"null", "no JSON object"),
    "a list": (b"[{}]", "no JSON object"),
    "a string": (b'"nodes"', "no JSON object"),
    "NaN": (b"NaN", "no JSON object"),
    "100,000 open brackets": (b"[" * 100_000, "nested too deeply"),
    "100,000 brackets": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "one bracket too many": (
        b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
        "nested too deeply",
    ),
}

READ = {
    "as it is": GOOD,
    "with a byte order mark": codecs.BOM_UTF8 + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD.decode().encode("utf-16-be"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "a key twice": b'{"extra": null, "extra": 1, ' + GOOD[1:],
    "numbers that are none": GOOD[:-1] + b', "a": [NaN, Infinity, -Infinity, 1e400, -0.0]}',
    "a string of 20 MB": GOOD[:-1] + b', "a": "' + b"x" * 20_000_000 + b'"}',
    "as deep as may be": GOOD[:-1]
    + b', "a":'
    + b"[" * (MAX_DEPTH - 1)
    + b"]" * (MAX_DEPTH - 1)
    + b"}",
}


def refusal(folder: Path, file: ArtifactFile) -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        load(folder, file)
    assert caught.value.where == str(folder / file.name)
    assert file.command in caught.value.hint
    return caught.value


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.kind)
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_artifact_is_named_with_the_next_command(
    tmp_path: Path, file: ArtifactFile, case: str
) -> None:
    content, told = REFUSED[case]
    (tmp_path / file.name).write_bytes(content)
    assert told in refusal(tmp_path, file).what


@pytest.mark.parametrize("case", READ)
def test_odd_but_honest_json_is_read(tmp_path: Path, case: str) -> None:
    (tmp_path / MANIFEST.name).write_bytes(READ[case])
    found, issues = load(tmp_path, MANIFEST)
    assert found["extra"] == {"model.a": {"name": "café"}}
    assert issues == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb"\ud83d\ude00", "😀"),
        ("😀".encode(), "😀"),
        (rb"\ud800", "\ufffd"),
        (rb"\uDFFFx", "\ufffdx"),
        (rb"\ud800\ud83d\ude00\ude00", "\ufffd😀\ufffd"),
        (rb"\ud800\n", "\ufffd\n"),
        (rb"\\ud800", r"\ud800"),
        (rb"\\\ud800", "\\\ufffd"),
        (rb"\\\ud83d\ude00", "\\😀"),
        (b"\xed\xa0\x80", "\ufffd"),
        (b"\xed\xa0\xbd\xed\xb8\x80", "😀"),
    ],
)
def test_halves_of_surrogate_pairs_are_replaced(tmp_path: Path, written: bytes, meant: str) -> None:
    (tmp_path / MANIFEST.name).write_bytes(b'{"' + written + b'": "a ' + written + b'"}')
    assert load(tmp_path, MANIFEST) == ({meant: f"a {meant}"}, ())


@given(st.text(st.sampled_from('\\\ud800\udfff\ud83d\ude00nu"é😀')))
def test_whatever_a_string_holds_it_can_be_written(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for ascii_only in (True, False):
            content = json.dumps({"a": text}, ensure_ascii=ascii_only)
            path = Path(folder) / MANIFEST.name
            path.write_bytes(content.encode("utf-8", "surrogatepass"))
            found, _ = load(Path(folder), MANIFEST)
            joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            assert found == {"a": joined}


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.kind)
def test_an_artifact_under_another_ones_name_is_refused(tmp_path: Path, file: ArtifactFile) -> None:
    other = "sources" if file is not MANIFEST else "catalog"
    version = f"https://schemas.getdbt.com/dbt/{other}/v1.json"
    (tmp_path / file.name).write_text(json.dumps({"metadata": {"dbt_schema_version": version}}))
    assert f"{other}, not {file.kind}" in refusal(tmp_path, file).what


@pytest.mark.parametrize("metadata", [None, [], "v12", 12, {"dbt_schema_version": 12}])
def test_metadata_may_be_anything(tmp_path: Path, metadata: object) -> None:
    (tmp_path / MANIFEST.name).write_text(json.dumps({"metadata": metadata}))
    assert load(tmp_path, MANIFEST) == ({"metadata": metadata}, ())
    assert artifacts.read(tmp_path).manifest_version == ""


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.kind)
def test_a_section_of_the_wrong_shape_is_left_out_and_said(
    tmp_path: Path, file: ArtifactFile
) -> None:
    name = (file.mappings or file.lists)[0]
    wrong: object = [{}] if file.mappings else {"a": {}}
    empty: object = {} if file.mappings else []
    path = tmp_path / file.name
    for content in (wrong, "text", 1.5):
        path.write_text(json.dumps({name: content}))
        found, (issue,) = load(tmp_path, file)
        assert found[name] == empty
        assert (issue.where, issue.hint) == (file.name, file.command)
        assert issue.message.startswith(f"{name} is a ")
    path.write_text(json.dumps({name: None}))
    assert load(tmp_path, file) == ({name: None}, ())


def test_entries_of_the_wrong_shape_are_left_out_and_named(tmp_path: Path) -> None:
    sources: dict[str, object] = {"a\x1b[2J": None, "b": {}, "c": [], "d": "x", "e": 1}
    (tmp_path / MANIFEST.name).write_text(json.dumps({"sources": sources}))
    found, issues = load(tmp_path, MANIFEST)
    assert found == {"sources": {"b": {}}}
    assert [issue.message for issue in issues] == [
        r"sources holds what is no mapping: 'a\x1b[2J', 'c', 'd' and 1 more, left out"
    ]
    (tmp_path / RUN_RESULTS.name).write_text(json.dumps({"results": [{}, None, {"status": "x"}]}))
    found, issues = load(tmp_path, RUN_RESULTS)
    assert found == {"results": [{}, {"status": "x"}]}
    assert [issue.message for issue in issues] == ["results holds what is no mapping: 1, left out"]


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.kind)
def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path, file: ArtifactFile) -> None:
    with (tmp_path / file.name).open("wb") as sparse:
        sparse.truncate(MAX_BYTES * 3)
    refused = refusal(tmp_path, file)
    assert refused.what == "it is 3.0 GiB; no more than 1 GiB is read"
    assert isinstance(refused, json_file.TooLargeError)


def test_a_file_that_does_not_fit_into_memory_is_named(tmp_path: Path) -> None:
    with (tmp_path / MANIFEST.name).open("wb") as sparse:
        sparse.truncate(MAX_BYTES)
    code = (
        "import resource, sys; from pathlib import Path; from dbt_t2s.project import artifacts\n"
        "from dbt_t2s.errors import ProjectError\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({MAX_BYTES}, {MAX_BYTES}))\n"
        "try: artifacts.read(Path(sys.argv[1]))\n"
        "except ProjectError as error: print(error.what)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "it does not fit into memory\n"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / MANIFEST.name)
    assert "no regular file" in refusal(tmp_path, MANIFEST).what
    (tmp_path / MANIFEST.name).unlink()
    (tmp_path / MANIFEST.name).mkdir()
    assert "no regular file" in refusal(tmp_path, MANIFEST).what


def test_there_need_be_no_file(tmp_path: Path) -> None:
    assert [load(tmp_path, file) for file in ALL] == [({}, ())] * 4


def test_broken_run_results_are_said_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / MANIFEST.name).write_bytes(GOOD)
    (tmp_path / RUN_RESULTS.name).write_bytes(b"[" * 100_000)
    found = artifacts.read(tmp_path)
    assert found.run_results == {}
    issues: list[Issue] = [each for each in found.issues if each.where == RUN_RESULTS.name]
    assert [(each.message, each.hint) for each in issues] == [
        ("it is nested too deeply; which tests failed is not known", "dbt build")
    ]
