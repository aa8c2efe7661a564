"""The small shop, its corpus and its linked rows, which the embedded model's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.corpus.generate import generate
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import SchemaIndex, today_of
from dbt_t2s.project.schema import ProjectSchema
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
