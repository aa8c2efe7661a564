"""The shop's warehouse, opened as SQL that nobody has read is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dbt_t2s import duck
from dbt_t2s.duck import Execute, QueryError, Rows
from tests.query.shop import build


@pytest.fixture(scope="session")
def execute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Execute]:
    connection = duck.open_read_only(build(tmp_path_factory.mktemp("shop") / "shop.duckdb"))

    def run(sql: str) -> Rows | QueryError:
        return duck.run(connection, sql)

    yield run
    connection.close()
