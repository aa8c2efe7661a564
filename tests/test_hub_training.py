"""Dev answers of a hub model are judged by what they give, as everything else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dbt_t2s.duck import Execute
from dbt_t2s.hub_training import is_helper, is_right
from dbt_t2s.judge.sandbox import Sandbox
from tests.judge.shop import RELATIONS, make_shop

GOLD = "select count(*) from shop.marts.orders"


@pytest.fixture(scope="module", name="everywhere")
def everywhere_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Execute]]:
    path = make_shop(Path(tmp_path_factory.mktemp("dev")) / "shop.duckdb")
    with Sandbox(path, RELATIONS) as sandbox:
        yield [sandbox.execute]


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        (GOLD, "select count(1) as n from shop.marts.orders", True),
        (GOLD, "select count(*) + 1 from shop.marts.orders", False),
        (GOLD, "select count(*) from no_such_table", False),
        (GOLD, "", False),
        ("", "", True),
        ("", GOLD, False),
    ],
)
def test_an_answer_is_right_where_its_rows_are(
    everywhere: list[Execute], gold: str, answer: str, right: bool
) -> None:
    assert is_right(gold, answer, everywhere, "duckdb") is right


def test_only_the_processes_beside_the_first_help(monkeypatch: pytest.MonkeyPatch) -> None:
    for size, rank, helps in (("1", "0", False), ("2", "0", False), ("2", "1", True)):
        monkeypatch.setenv("WORLD_SIZE", size)
        monkeypatch.setenv("RANK", rank)
        assert is_helper() is helps
