"""The embedded model from dataset to answers, and what becomes of damaged or foreign ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from dbt_t2s import store
from dbt_t2s.corpus.examples import Corpus, Example
from dbt_t2s.duck import Rows
from dbt_t2s.errors import ModelError, StoreError
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.model import shipped
from dbt_t2s.model.follow_ups import follow_ups
from dbt_t2s.model.generate import Candidate, load
from dbt_t2s.model.known_vectors import FILE as VECTORS_FILE
from dbt_t2s.model.recipe import Recipe
from dbt_t2s.model.record import FILE, ITEMS_FILE, ModelRecord, read_record, write_record
from dbt_t2s.model.train import CHECKPOINT, train
from dbt_t2s.project.schema import ProjectSchema

QUESTIONS = (
    "what is the revenue",
    "how many orders are there",
    "list all customers in Germany",
    "revenue by country",
    "average basket value per month",
    "shoe size of the quarterback",
)
READER = shipped.stamp(shipped.READER)
RECORD = ModelRecord(
    "embedded", "embedded", "s", "d", 0, 1, 1, 0.5, (("dev_loss", 1.0),), reader=READER
)


def write_dataset(corpus: Corpus, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "dev", "test"):
        rows = [e for e in corpus.examples if e.split == split]
        store.write_rows(folder / f"{split}.parquet", rows, Example)
    return folder


@pytest.fixture(scope="module")
def dataset(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(corpus, tmp_path_factory.mktemp("dataset"))


def trained(dataset: Path, schema: ProjectSchema, folder: Path, **settings: object) -> ModelRecord:
    chosen = {"base": "embedded", "seed": 3, "minutes": 0.05, **settings}
    return train(dataset, schema, folder, **chosen)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model(
    dataset: Path, schema: ProjectSchema, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ModelRecord]:
    folder = tmp_path_factory.mktemp("models") / "model"
    return folder, trained(dataset, schema, folder)


@pytest.fixture(scope="module")
def answers(model: tuple[Path, ModelRecord], schema: ProjectSchema) -> list[tuple[Candidate, ...]]:
    return [tuple(each) for each in load(model[0], schema).generate(QUESTIONS)]


def test_a_record_tells_what_was_trained(
    model: tuple[Path, ModelRecord], schema: ProjectSchema, corpus: Corpus
) -> None:
    folder, record = model
    assert read_record(folder) == record
    assert (record.kind, record.base, record.seed) == ("embedded", "embedded", 3)
    assert record.schema == store.fingerprint(schema)
    learned = [e for e in corpus.examples if e.split == "train"]
    refused = sum(e.type == "refusal" for e in learned)
    followed = len(follow_ups([asdict(e) for e in learned], schema, 3))
    assert 0 < followed <= round(len(learned) / 10)
    kept = len(learned) - refused + int(refused * Recipe().refusals)
    assert record.examples == min(kept + followed, Recipe(minutes=0.05).afforded)
    assert record.steps > 0 and record.seconds > 0
    assert {"dev_loss", "examples_dropped"} <= dict(record.metrics).keys()
    assert sorted(p.name for p in folder.iterdir()) == [ITEMS_FILE, "network", FILE, VECTORS_FILE]


def test_candidates_are_single_selects_that_run(
    answers: list[tuple[Candidate, ...]], sandbox: Sandbox
) -> None:
    assert len(answers) == len(QUESTIONS)
    for candidates in answers:
        assert candidates
        assert all(0 <= c.confidence <= 1 for c in candidates)
        assert len({c.sql for c in candidates}) == len(candidates)
        for each in candidates:
            if each.sql:
                assert isinstance(sandbox.execute(each.sql), Rows), each.sql
                assert each.refusal == ""
            else:
                assert each.refusal
    assert any(c.sql for candidates in answers for c in candidates)


def test_the_same_seed_gives_the_same_answers(
    model: tuple[Path, ModelRecord],
    answers: list[tuple[Candidate, ...]],
    dataset: Path,
    schema: ProjectSchema,
    tmp_path: Path,
) -> None:
    again = trained(dataset, schema, tmp_path / "again")
    assert replace(again, seconds=0, metrics=()) == replace(model[1], seconds=0, metrics=())
    assert dict(again.metrics)["dev_loss"] == dict(model[1].metrics)["dev_loss"]
    repeated = load(tmp_path / "again", schema).generate(QUESTIONS)
    assert [tuple(each) for each in repeated] == answers
    one_by_one = load(model[0], schema)
    alone = [one_by_one.generate([q])[0] for q in QUESTIONS]
    assert [[c.sql for c in a] for a in alone] == [[c.sql for c in a] for a in answers]


def test_refusals_name_what_is_missing(
    model: tuple[Path, ModelRecord], schema: ProjectSchema, tmp_path: Path
) -> None:
    folder = copied(model, tmp_path)
    write_record(folder, replace(model[1], refuse_over=-1.0))
    plainly = "what is interesting about people with quarterbacks"
    refused, known, named = load(folder, schema).generate([QUESTIONS[5], QUESTIONS[0], plainly])
    assert "'quarterbacks'" in named[0].refusal and "'people'" not in named[0].refusal
    assert len(refused) == 1 and refused[0].sql == ""
    assert "'quarterback'" in refused[0].refusal and "'of'" not in refused[0].refusal
    assert "does not seem to hold" in known[0].refusal
    write_record(folder, replace(model[1], refuse_over=1.0))
    answered = load(folder, schema).generate(QUESTIONS[:1])
    assert answered[0][0].sql


def copied(model: tuple[Path, ModelRecord], tmp_path: Path) -> Path:
    return Path(shutil.copytree(model[0], tmp_path / "copy"))


def test_weights_of_another_schema_are_refused(
    model: tuple[Path, ModelRecord], schema: ProjectSchema
) -> None:
    fewer = replace(schema, rules=())
    with pytest.raises(ModelError, match="another schema") as caught:
        load(model[0], fewer)
    assert "dbt-t2s train" in caught.value.hint


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut_in_half, emptied, Path.unlink])
@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_damaged_weights_are_an_error_that_says_what_to_do(
    model: tuple[Path, ModelRecord],
    schema: ProjectSchema,
    tmp_path: Path,
    damage: Callable[[Path], None],
    name: str,
) -> None:
    folder = copied(model, tmp_path)
    damage(folder / "network" / name)
    with pytest.raises(ModelError, match="missing or corrupted") as caught:
        load(folder, schema)
    assert "dbt-t2s train" in caught.value.hint


def test_a_run_that_was_stopped_leaves_no_record_and_can_be_taken_up(
    dataset: Path, schema: ProjectSchema, tmp_path: Path
) -> None:
    class Stopped(Exception):
        pass

    def stop(doing: str, done: int, of: int) -> None:
        if doing.startswith("train"):
            raise Stopped

    folder = tmp_path / "model"
    with pytest.raises(Stopped):
        trained(dataset, schema, folder, progress=stop)
    with pytest.raises(ModelError, match="no trained model yet"):
        load(folder, schema)
    (folder / CHECKPOINT).write_bytes(b"torn")
    assert trained(dataset, schema, folder, minutes=0.003).steps == 1
    assert not (folder / CHECKPOINT).exists()


def test_a_dataset_with_nothing_to_learn_is_an_error(
    schema: ProjectSchema, corpus: Corpus, tmp_path: Path
) -> None:
    empty = write_dataset(replace(corpus, examples=()), tmp_path / "empty")
    with pytest.raises(ModelError) as caught:
        trained(empty, schema, tmp_path / "model")
    assert "dbt-t2s" in caught.value.hint
    assert not (tmp_path / "model" / FILE).exists()


def test_a_missing_dataset_is_an_error(schema: ProjectSchema, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        trained(tmp_path / "none", schema, tmp_path / "model")


# ---- the record


def test_a_record_is_read_back(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert read_record(tmp_path) == RECORD
    assert [p.name for p in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no trained model yet"),
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("null", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"format": 5}', "cannot be read"),
        ('{"format": 5, "metrics": [["dev_loss"]]}', "cannot be read"),
        ('{"format": 5, "metrics": 3}', "cannot be read"),
        ('{"format": 0, "version": "0.0.1"}', r"another version \(0\.0\.1\)"),
        ("{}", r"another version \(unknown\)"),
    ],
)
def test_a_bad_record_names_the_next_command(
    tmp_path: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / FILE).write_text(text)
    with pytest.raises(ModelError, match=message) as caught:
        read_record(tmp_path)
    assert caught.value.hint.startswith("dbt-t2s train")
    assert str(tmp_path) in caught.value.where


def test_a_model_that_was_trained_with_other_weights_is_to_be_trained_again(tmp_path: Path) -> None:
    write_record(tmp_path, replace(RECORD, reader="of another release"))
    with pytest.raises(ModelError, match="other weights than this dbt-t2s ships") as caught:
        read_record(tmp_path)
    assert caught.value.hint == "dbt-t2s train"
    hub = replace(RECORD, kind="hub", reader="")  # it asks nothing of them
    write_record(tmp_path, hub)
    assert read_record(tmp_path) == hub


def test_a_record_with_a_field_of_tomorrow_cannot_be_read(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    found = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**found, "colour": "red"}))
    with pytest.raises(ModelError, match="cannot be read"):
        read_record(tmp_path)
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="cannot be read"):
        read_record(tmp_path)
