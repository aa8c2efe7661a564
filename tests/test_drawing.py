"""Chunks: the same corpus from one process or two, in one go or after a stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dbt_t2s import store
from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.corpus.generate import collect
from dbt_t2s.corpus.maker import Order
from dbt_t2s.drawing import Drawing, Task, processes_for
from dbt_t2s.project.schema import FiscalYear
from tests.model.shop_schema import AS_OF, shop_schema, warehouse

STAMP = {"made from": "this"}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Task]:
    with warehouse(tmp_path_factory.mktemp("drawn-shop")) as sandbox:
        shop = replace(shop_schema(), fiscal_year=FiscalYear(2))
        relations = tuple(table.relation for table in shop.tables)
        day = date.fromisoformat(AS_OF)
        yield Task(shop, (), sandbox.warehouse, relations, day, 3)


def drawn(task: Task, folder: Path, processes: int = 1, most: int = 60) -> Corpus:
    with Drawing(task, folder, STAMP, processes) as drawing:
        return collect(task.schema, (), drawing.draw, max_examples=most)


def test_one_process_or_two_give_the_same_corpus(task: Task, tmp_path: Path) -> None:
    alone = drawn(task, tmp_path / "one")
    assert len(alone.examples) == 60
    assert drawn(task, tmp_path / "two", processes=2) == alone


def test_a_stopped_run_goes_on(task: Task, tmp_path: Path) -> None:
    orders = [Order(0, 10), Order(1, 10)]
    with Drawing(task, tmp_path, STAMP) as drawing:
        chunk = next(drawing.draw(iter(orders)))  # and no further
        (kept,) = tmp_path.iterdir()
        first = replace(chunk.examples[0], question="Read from the chunk and not drawn?")
        marked = replace(chunk, examples=(first, *chunk.examples[1:]))
        store.write_json(kept, marked, STAMP)
        gone_on = list(drawing.draw(iter(orders)))
        assert gone_on[0] == marked and gone_on[1].order == orders[1]
        # What was drawn for other data, or for another order, is no use.
        store.write_json(kept, marked, {"made from": "that"})
        assert next(drawing.draw(iter(orders))) == chunk
        store.write_json(kept, replace(marked, order=Order(0, 7)), STAMP)
        assert next(drawing.draw(iter(orders))) == chunk
        drawing.forget()
    assert not tmp_path.exists()


def test_few_examples_are_drawn_by_one_process() -> None:
    assert processes_for(500) == 1
    assert processes_for(None) == processes_for(5_000) >= 1
