"""exposures: groups, owners and what is built on a table, however the manifest says it."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_t2s.project import exposures
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.schema import Exposure, Metric, Table

ORDERS = Table("orders", "main.orders", "model.shop.orders", "orders.sql", ())
STORES = Table("stores", "main.stores", "model.shop.stores", "stores.sql", ())
REVENUE = Metric("revenue", "simple", tables=("orders", "stores"), unique_id="metric.shop.revenue")


def read(**exposure: Any) -> Exposure:
    manifest = {"exposures": {"exposure.shop.board": {"name": "board", **exposure}}}
    (found,) = exposures.read(Artifacts(manifest), (ORDERS, STORES), (REVENUE,))
    return found


def test_a_metric_stands_for_the_tables_that_it_reads() -> None:
    needs = ["model.shop.stg_orders", "model.shop.stores", "metric.shop.revenue", "metric.shop.no"]
    found = read(type="dashboard", depends_on={"nodes": needs})
    assert (found.tables, found.metrics) == (("stores", "orders"), ("revenue",))


@pytest.mark.parametrize(
    ("owner", "name", "contact"),
    [
        ({"name": "Ada", "email": "a@example.org"}, "Ada", "a@example.org"),
        ({"name": None, "email": ["a@b.de", "c@d.de"]}, "a@b.de, c@d.de", "a@b.de, c@d.de"),
        ({"email": None}, "", ""),
        ("Ada", "", ""),
        (None, "", ""),
    ],
)
def test_an_owner_has_a_name_or_an_address(owner: object, name: str, contact: str) -> None:
    found = read(owner=owner)
    assert (found.owner, found.contact) == (name, contact)


def test_a_group_is_named_on_the_node_or_in_its_config() -> None:
    assert exposures.group({"group": "sales", "config": {"group": "old"}}) == "sales"
    assert exposures.group({"group": None, "config": {"group": "sales"}}) == "sales"
    assert exposures.group({}) == ""
    groups = {
        "group.shop.sales": {"name": "sales", "owner": {"name": "Ada", "email": "a@example.org"}},
        "group.shop.ops": {"name": "ops", "owner": {"email": "ops@example.org"}},
        "group.shop.none": {"name": "none"},
    }
    assert exposures.owners(Artifacts({"groups": groups})) == {
        "sales": "Ada (a@example.org)",
        "ops": "ops@example.org",
        "none": "",
    }
