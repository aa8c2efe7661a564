"""What tests of models share: the small shop with its corpus, and tiny hub models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.corpus.generate import generate
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.schema_index import SchemaIndex, today_of
from dbt_t2s.project.schema import ProjectSchema
from tests.model import tiny
from tests.model.shop_schema import shop_schema, warehouse


@pytest.fixture(scope="session")
def schema() -> ProjectSchema:
    return shop_schema()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with warehouse(tmp_path_factory.mktemp("model-shop")) as opened:
        yield opened


@pytest.fixture(scope="session")
def corpus(schema: ProjectSchema, sandbox: Sandbox) -> Corpus:
    return generate(schema, (), sandbox.execute, seed=5, max_examples=150)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="session")
def index(schema: ProjectSchema, encoder: Encoder) -> SchemaIndex:
    return SchemaIndex(schema, encoder, today_of(schema))


@pytest.fixture(scope="session")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2 with random weights and a tokenizer trained on the prompts. Not to be changed."""
    return tiny.make_base("qwen2", tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def trained(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model taught every row, one thread, some seconds. Not to be changed."""
    from dbt_t2s.model.hub import train_hub

    folder = tmp_path_factory.mktemp("hub-model")
    steps: list[int] = []
    metrics = train_hub(
        tiny.ROWS,
        tiny.SCHEMA,
        str(base_dir),
        folder,
        seed=1,
        max_steps=280,
        progress=lambda step, _planned, _loss: steps.append(step),
        settings=tiny.SETTINGS,
    )
    assert steps == list(range(1, 281))
    assert metrics["rows"] == len(tiny.TRAIN) >= 20
    assert metrics["skipped"] == 0
    assert metrics["dev_rows"] == 1
    assert 0 <= metrics["train_loss"] < 0.05
    assert 0 <= metrics["dev_loss"] < 0.1
    assert metrics["dev_right"] == 1.0
    return folder
