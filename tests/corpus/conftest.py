"""The small shop that the corpus's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.corpus.generate import generate
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import ProjectSchema
from tests.model.shop_schema import shop_schema, warehouse


@pytest.fixture(scope="session")
def schema() -> ProjectSchema:
    return shop_schema()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with warehouse(tmp_path_factory.mktemp("corpus-shop")) as opened:
        yield opened


@pytest.fixture(scope="session")
def corpus(schema: ProjectSchema, sandbox: Sandbox) -> Corpus:
    return generate(schema, (), sandbox.execute, seed=1, max_examples=500)
