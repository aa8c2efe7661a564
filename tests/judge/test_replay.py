"""The models of two states over the same rows, on a tiny project built by the real dbt."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from dbt_t2s.duck import Rows, open_read_only, run
from dbt_t2s.judge.replay import OtherRows, Replay, Side, affected_models, other_rows, replay
from dbt_t2s.project import artifacts
from dbt_t2s.project.dbt import open_project
from dbt_t2s.project.distill import distill
from tests.conftest import dbt

ORDERS = (
    "select id as order_id, customer_id, status, amount, ordered_on from {{ ref('raw_orders') }}"
)
DAYS = """
{{ config(materialized='incremental', unique_key='day') }}
select ordered_on as day, sum(amount) as total, avg(amount) as mean
from {{ ref('orders') }}
{% if is_incremental() %}
where ordered_on > (select coalesce(max(day), date '1900-01-01') from {{ this }})
{% endif %}
group by ordered_on
"""


def side(project: Path, target: Path | None = None) -> Side:
    opened = open_project(project)
    folder = target or opened.target_path
    read = artifacts.read(folder)
    return Side(distill(replace(opened, target_path=folder)), read)


@pytest.fixture(scope="module")
def days(built_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with an incremental model, built; its target is kept as ``prod``."""
    folder = Path(shutil.copytree(built_shop, tmp_path_factory.mktemp("days") / "shop"))
    (folder / "models/days.sql").write_text(DAYS)
    dbt("build", cwd=folder)
    shutil.copytree(folder / "target", folder / "prod")
    return folder


@pytest.fixture
def project(days: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(days, tmp_path / "shop"))


def both(project: Path, tmp_path: Path, *command: str) -> tuple[Side, Side, Replay]:
    dbt(*(command or ("compile",)), cwd=project)
    before, after = side(project, project / "prod"), side(project)
    return before, after, replay(before, after, project / "shop.duckdb", tmp_path / "check")


def asked(file: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(open_read_only(file)) as connection:
        found = run(connection, sql)
    assert isinstance(found, Rows), found
    return list(found.rows)


def test_the_same_rows_written_otherwise_are_the_same(project: Path, tmp_path: Path) -> None:
    (project / "models/orders.sql").write_text(
        f"-- all of them\nwith raw as ({ORDERS})\n"
        "select ordered_on,\n    order_id, customer_id, status, amount from raw\n"
    )
    before, after, found = both(project, tmp_path)
    assert other_rows(found, before, after) == ()
    assert found.before.problems == found.after.problems == {}


def test_an_unchanged_project_is_not_copied(project: Path, tmp_path: Path) -> None:
    """That dbt compiles an incremental model otherwise once it is built is no change of it."""
    before, after, found = both(project, tmp_path)
    assert affected_models(before.artifacts, after.artifacts) == frozenset()
    assert found.before.file == found.after.file == project / "shop.duckdb"
    assert not (tmp_path / "check").exists()


def test_a_filter_gives_other_rows_here_and_below(project: Path, tmp_path: Path) -> None:
    (project / "models/orders.sql").write_text(f"{ORDERS} where status <> 'open'")
    before, after, found = both(project, tmp_path)
    assert found.affected == {"model.shop.orders", "model.shop.days"}
    days, orders = other_rows(found, before, after)
    assert (orders.table, orders.was, orders.now) == ("orders", 120, 80)
    assert (days.table, days.was, days.now) == ("days", 120, 80)
    assert asked(found.after.file, "select count(*) from days") == [(80,)]
    assert asked(found.before.file, "select count(*) from days") == [(120,)]
    assert asked(found.after.file, "select count(*) from customers") == [(7,)]


def test_what_differs_is_told_by_column(project: Path, tmp_path: Path) -> None:
    (project / "models/orders.sql").write_text(ORDERS.replace(" amount", " amount + 1 as amount"))
    before, after, found = both(project, tmp_path)
    differing = {each.table: each for each in other_rows(found, before, after)}
    assert differing["orders"] == OtherRows("orders", 120, 120, ("amount",), True)
    assert differing["days"].columns == ("total", "mean")
    orders = differing["orders"]
    assert orders.is_read_by("select sum(o.Amount) from main.orders as o")
    assert orders.is_read_by("select * from orders")
    assert not orders.is_read_by("select count(*) from orders where status = 'paid'")
    assert not orders.is_read_by("select amount from other_orders")


def test_renames_and_wider_types_are_no_other_rows(project: Path, tmp_path: Path) -> None:
    wider = ORDERS.replace(" status", " status as state").replace(
        " amount", " cast(amount as decimal(18, 4)) as amount"
    )
    (project / "models/orders.sql").write_text(wider)
    before, after, found = both(project, tmp_path)
    assert [each.table for each in other_rows(found, before, after)] == []
    assert asked(found.before.file, "select count(status) from orders") == [(120,)]
    assert asked(found.after.file, "select count(state) from orders") == [(120,)]


def test_a_state_of_another_target_is_compared_by_its_own_names(
    project: Path, tmp_path: Path
) -> None:
    profiles = project / "profiles.yml"
    profiles.write_text(
        "shop:\n  target: prod\n  outputs:\n"
        "    prod: {type: duckdb, path: live.duckdb, schema: analytics}\n"
    )
    shutil.rmtree(project / "prod")
    dbt("build", cwd=project)
    shutil.copytree(project / "target", project / "prod")
    before = side(project, project / "prod")
    profiles.write_text("shop:\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n"
                        "  target: dev\n")  # fmt: skip
    dbt("compile", cwd=project)
    after = side(project)
    assert affected_models(before.artifacts, after.artifacts) == frozenset()
    same = replay(before, after, project / "shop.duckdb", tmp_path / "same")
    assert asked(same.before.file, "select count(*) from live.analytics.orders") == [(120,)]
    assert same.after.file == project / "shop.duckdb"
    (project / "models/orders.sql").write_text(f"{ORDERS} limit 10")
    dbt("compile", cwd=project)
    after = side(project)
    found = replay(before, after, project / "shop.duckdb", tmp_path / "check")
    assert [(e.table, e.now) for e in other_rows(found, before, after)] == [
        ("days", 10), ("orders", 10),
    ]  # fmt: skip
    assert asked(found.before.file, "select count(*) from live.analytics.days") == [(120,)]


def test_what_does_not_run_is_a_problem_and_no_table(project: Path, tmp_path: Path) -> None:
    (project / "models/orders.sql").write_text(f"{ORDERS} where no_such_column")
    before, after, found = both(project, tmp_path)
    assert set(found.after.problems) == {"model.shop.orders", "model.shop.days"}
    assert "no_such_column" in found.after.problems["model.shop.orders"]
    assert found.before.problems == {}
    assert other_rows(found, before, after) == ()


def test_models_that_are_gone_or_new_run_on_their_side(project: Path, tmp_path: Path) -> None:
    (project / "models/days.sql").unlink()
    (project / "models/big.sql").write_text("select * from {{ ref('orders') }} where amount > 400")
    before, after, found = both(project, tmp_path)
    assert found.affected == {"model.shop.big", "model.shop.days"}
    assert asked(found.before.file, "select count(*) from days") == [(120,)]
    assert asked(found.after.file, "select count(*) > 5 from big") == [(True,)]
    assert other_rows(found, before, after) == ()


def test_a_slim_run_is_compared_on_the_rows_that_it_defers_to(
    project: Path, tmp_path: Path
) -> None:
    """Only the changed model is built; what it reads lies in production's schema."""
    outputs = "{{type: duckdb, path: shop.duckdb, schema: {}}}"
    (project / "profiles.yml").write_text(
        "shop:\n  target: dev\n  outputs:\n"
        f"    live: {outputs.format('live')}\n    dev: {outputs.format('mine')}\n"
    )
    shutil.rmtree(project / "prod")
    dbt("build", "--target", "live", cwd=project)
    shutil.copytree(project / "target", project / "prod")
    before = side(project, project / "prod")
    (project / "models/days.sql").write_text(DAYS.replace("sum(amount)", "2 * sum(amount)"))
    dbt("build", "--select", "state:modified+", "--defer", "--state", "prod", cwd=project)
    after = side(project)
    found = replay(before, after, project / "shop.duckdb", tmp_path / "check")
    assert found.affected == {"model.shop.days"}
    assert found.before.problems == found.after.problems == {}
    assert asked(found.after.file, "select count(*) from mine.orders") == [(120,)]
    assert asked(found.before.file, "select count(*) from live.days") == [(120,)]
    assert [each.table for each in other_rows(found, before, after)] == ["days"]


def test_the_calendar_that_metrics_join_is_there(project: Path, tmp_path: Path) -> None:
    """No table is made from it, so it is above none that can be asked for."""
    series = "generate_series(timestamp '2025-01-01', timestamp '2025-01-31', interval 1 day)"
    (project / "models/every_day.sql").write_text(
        "{{ config(materialized='table') }}\n"
        f"select cast(day as date) as day from {series} as spine (day)\n"
    )
    (project / "models/every_day.yml").write_text(
        "models:\n  - name: every_day\n    time_spine: {standard_granularity_column: day}\n"
        "    columns:\n      - {name: day, granularity: day}\n"
    )
    _, after, found = both(project, tmp_path)
    assert "model.shop.every_day" not in after.tables
    assert asked(found.after.file, "select count(*) from every_day") == [(31,)]
