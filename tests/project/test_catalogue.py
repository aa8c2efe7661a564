"""The catalogue that a person reads, and the advice on what would help most."""

from __future__ import annotations

import pytest

from dbt_t2s.errors import UsageError
from dbt_t2s.project.advice import advise
from dbt_t2s.project.catalogue import narrowed, pages
from dbt_t2s.project.catalogue_forms import as_markdown, as_text
from dbt_t2s.project.schema import (
    Column,
    Join,
    Kind,
    Measure,
    Metric,
    ProjectSchema,
    Role,
    Rule,
    Table,
)


def column(name: str, role: Role = Role.CATEGORY, **more: object) -> Column:
    return Column(name, "VARCHAR", Kind.TEXT, role, **more)  # type: ignore[arg-type]


ORDERS = Table(
    "orders",
    "shop.main.orders",
    "model.shop.orders",
    "models/orders.sql",
    (
        column("order_id", Role.KEY, description="Number | of the <b>order</b>."),
        column("status", values=("A", "B"), values_complete=True, null_share=0.25),
        column("buyer_mail", Role.TEXT, format="email"),
        column("total", Role.MEASURE, unit="EUR", minimum="1", maximum="9"),
    ),
    description="One row per order. " + "Long words of prose go on and on. " * 20,
    primary_key=("order_id",),
    entity="order",
    rows=1200,
)
STORES = Table("stores", "shop.main.stores", "model.shop.stores", "models/s.sql", (column("店名"),))
SCHEMA = ProjectSchema(
    "shop",
    "duckdb",
    (ORDERS, STORES),
    joins=(Join("orders", ("store",), "stores", ("店名",), proven=False, support=2),),
    metrics=(
        Metric("status", "simple", measure=Measure("m", "orders", "count", "1", "")),
        Metric("a", "simple", label="Same"),
        Metric("b", "simple", label="same"),
    ),
    rules=(Rule("real", "Real orders.", "orders", "status = 'A'", ("models/o.yml:3",), 4),),
    statements=(("model.shop.x", "model", "select status from shop.main.orders"),),
)


def test_text_is_cut_to_its_width() -> None:
    lines = as_text(pages(SCHEMA), width=90).splitlines()
    assert max(map(len, lines)) <= 90
    assert any(line.endswith("…") for line in lines)
    for piece in ("one row per order (order_id)", "1,200", "A, B; 25.0% NULL", "VARCHAR EUR"):
        assert any(piece in line for line in lines), piece


def test_markdown_holds_all_and_reads_docs_as_data() -> None:
    shown = as_markdown(pages(SCHEMA))
    assert "[orders](#orders)" in shown
    assert r"Number \| of the \<b\>order\</b\>." in shown
    assert ORDERS.description.rstrip() in shown
    rows = [line for line in shown.splitlines() if line.startswith("| status | category")]
    assert rows


def test_joins_are_shown_from_both_sides() -> None:
    orders, stores = (as_text(pages(SCHEMA, (name,)), 200) for name in ("orders", "stores"))
    assert "many to one  store = stores.店名  2 queries, not proven" in orders
    assert "one to many  店名 = orders.store" in stores


def test_one_table_alone_or_an_error_with_near_names() -> None:
    assert [page.title for page in pages(SCHEMA, ("Orders",))] == ["orders"]
    assert [table.name for table in narrowed(SCHEMA, ("stores",)).tables] == ["stores"]
    with pytest.raises(UsageError) as failure:
        narrowed(SCHEMA, ("order",))
    assert "did you mean: orders" in failure.value.hint


def test_advice_names_every_gap_the_riskiest_first() -> None:
    found = advise(SCHEMA)
    assert "buyer_mail may be personal data" in found[0].what
    said = " / ".join(each.what for each in found)
    for piece in (
        "stores has no proven key",
        "metric status shares its name with orders.status",
        "2 metrics are called “same”: a, b",
        "orders.store seems to point at stores",
        "orders: 3 columns without description: status, ",
        "stores has no description",
        "nothing says what the values of status mean",
    ):
        assert piece in said, piece
    assert len(advise(SCHEMA, limit=2)) == 2
