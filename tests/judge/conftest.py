"""The small warehouse that the judge's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judge.shop import make_shop


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("warehouse") / "shop.duckdb")
