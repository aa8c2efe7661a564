"""Going on from the last model of a project whose schema changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dbt_t2s import store
from dbt_t2s.corpus.examples import Corpus, Example
from dbt_t2s.model import recipe
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.generate import load
from dbt_t2s.model.going_on import carried, chosen_rows, go_on, renamed_token
from dbt_t2s.model.network import PlanNetwork
from dbt_t2s.model.record import FILE, ITEMS_FILE, NETWORK, read_record, write_record
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.train import train
from dbt_t2s.project.schema import ProjectSchema

RENAMED = {"orders.status": "orders.state", "shops": "stores"}


@pytest.mark.parametrize(
    ("token", "now"),
    [
        ("c:orders.status", "c:orders.state"),
        ("c:orders.status_code", "c:orders.status_code"),
        ("c:back_orders.status", "c:back_orders.status"),
        ("t:shops", "t:stores"),
        ("c:shops.city", "c:stores.city"),
        ("m:orders.status", "m:orders.state"),
        ("r:net_revenue", "r:net_revenue"),
    ],
)
def test_tokens_take_new_names(token: str, now: str) -> None:
    assert renamed_token(token, RENAMED) == now


def test_vectors_stay_with_their_items(schema: ProjectSchema, index: SchemaIndex) -> None:
    fewer = replace(schema, tables=tuple(reversed(schema.tables)))
    moved_index = SchemaIndex(fewer, Encoder(), index.today)
    known = [item.token for item in index.items[1:]]  # the first one is new
    network = recipe.new_network(len(known), 0)
    with torch.no_grad():
        network.residual.weight.copy_(torch.arange(len(known) + 1)[:, None].expand(-1, 384))
    moved = carried(network, known, moved_index, seed=5)
    assert moved.config.schema_items == len(index.items)
    for place, token in enumerate(known, 1):
        row = moved.residual.weight[moved_index.place[token] + 1]
        assert row.eq(place).all(), token
    new = moved.residual.weight[moved_index.place[index.items[0].token] + 1]
    assert new.abs().max() < 1
    same = "keyword.weight"
    assert moved.state_dict()[same].equal(network.state_dict()[same])


def test_what_is_new_is_learned_beside_as_much_that_is_not(corpus: Corpus) -> None:
    examples = tuple(e for e in corpus.examples if e.split == "train")
    plans = [json.loads(e.plan) for e in examples]
    tokens = {t for plan in plans for t in plan if t[:2] in ("c:", "m:", "t:", "r:")}
    new = next(t for t in sorted(tokens) if 5 < sum(t in plan for plan in plans) < 60)
    chosen = chosen_rows(examples, frozenset(tokens - {new}), seed=1)
    about = [e for e in examples if new in json.loads(e.plan)]
    assert set(about) <= set(chosen)
    assert len(chosen) == min(len(examples), len(about) + 400)
    assert chosen == chosen_rows(examples, frozenset(tokens - {new}), seed=1)
    assert list(chosen) == sorted(chosen, key=examples.index)
    assert len(chosen_rows(examples, frozenset(tokens), seed=1)) == min(len(examples), 400)


@pytest.fixture(scope="module")
def dataset(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("going-on")
    for split in ("train", "dev"):
        rows = [e for e in corpus.examples if e.split == split][:300]
        store.write_rows(folder / f"{split}.parquet", rows, Example)
    return folder


@pytest.fixture(scope="module")
def model(schema: ProjectSchema, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("last") / "model"
    train(dataset, schema, folder, base="embedded", seed=3, minutes=0.05)
    return folder


def test_a_model_goes_on_and_answers(
    model: Path, schema: ProjectSchema, dataset: Path, tmp_path: Path
) -> None:
    changed = replace(schema, tables=tuple(reversed(schema.tables)))
    made = []
    for name in ("one", "other"):
        folder = Path(shutil.copytree(model, tmp_path / name))
        record = go_on(dataset, changed, folder, last=folder, renamed={}, seed=3, minutes=0.1)
        assert record is not None
        assert record.schema == store.fingerprint(changed)
        assert record.refuse_over == 0.5
        made.append(PlanNetwork.from_pretrained(folder / NETWORK).state_dict())
    assert all(torch.equal(value, made[1][name]) for name, value in made[0].items())
    (found,) = load(tmp_path / "one", changed).generate(["how many orders are there"])
    assert found
    assert "count(" in found[0].sql.lower()


def test_there_is_nothing_to_go_on_from(
    model: Path, schema: ProjectSchema, dataset: Path, tmp_path: Path
) -> None:
    def goes_on(folder: Path) -> bool:
        made = tmp_path / "made"
        record = go_on(dataset, schema, made, last=folder, renamed={}, seed=3)
        return record is not None or made.exists()

    assert not goes_on(tmp_path / "nowhere")
    for gone in (ITEMS_FILE, FILE, NETWORK):
        folder = Path(shutil.copytree(model, tmp_path / gone))
        shutil.rmtree(folder / gone) if gone == NETWORK else (folder / gone).unlink()
        assert not goes_on(folder)
    folder = Path(shutil.copytree(model, tmp_path / "hub"))
    write_record(folder, replace(read_record(model), kind="hub"))
    assert not goes_on(folder)
    folder = Path(shutil.copytree(model, tmp_path / "other"))
    (folder / ITEMS_FILE).write_text('["t:orders"]')
    assert not goes_on(folder)
