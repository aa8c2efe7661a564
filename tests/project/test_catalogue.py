"""The catalogue that a person reads, and the advice on what would help most."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.errors import UsageError
from dbt_t2s.project.advice import advise
from dbt_t2s.project.catalogue import Grid, Page, narrowed, pages
from dbt_t2s.project.catalogue_forms import as_markdown, as_text
from dbt_t2s.project.cited import cited, place, shortened
from dbt_t2s.project.schema import (
    Column,
    Exposure,
    Join,
    Kind,
    Measure,
    Metric,
    ProjectSchema,
    Role,
    Rule,
    RuleKind,
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


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("model.shop.stg_orders", "stg_orders"),
        ("source.shop.raw.orders", "raw.orders"),
        ("model.shop.orders.v2", "orders.v2"),
        ("model.other.stg_orders", "other.stg_orders"),
        ("analysis.shop.by_day", "analysis by_day"),
        ("unit_test.shop.orders.counts", "unit test orders.counts"),
        ("test.shop.no_negative_price", "no_negative_price test"),
        ("test.shop.relationships_orders_store__ref_stores_.c6ec7f556e", "relationships test"),
        ("semantic_model.o entity store -> semantic_model.s", "entity store"),
        ("models/o.yml:3", "models/o.yml:3"),
        ("names: orders.store ~ stores.id", "names: orders.store ~ stores.id"),
    ],
)
def test_evidence_is_named_as_people_do(reference: str, expected: str) -> None:
    assert cited(reference, "shop", "orders") == expected


def test_a_place_says_more_than_nodes() -> None:
    assert place(("model.shop.a", "models/a.yml:3", "metric.shop.b"), "shop") == "models/a.yml:3"
    assert place(("model.shop.a", "model.shop.b"), "shop") == "a and 1 more"
    assert place((), "shop") == ""
    code = "lower(model.shop.stg.a) || remodel.shop.b || seed.other.c"
    assert shortened(code, "shop") == "lower(stg.a) || remodel.shop.b || seed.other.c"


BOARD = Exposure(
    "board",
    "dashboard",
    "exposure.shop.board",
    label="Sales | board",
    owner="Ada",
    contact="ada@example.org",
    tables=("stores",),
)


def test_a_table_names_its_group_and_what_uses_it() -> None:
    stores = replace(STORES, group="sales", owner="Sales (sales@example.org)")
    bare = Exposure("board_2", "", "exposure.shop.board_2", tables=("stores", "orders"))
    schema = replace(SCHEMA, tables=(ORDERS, stores), exposures=(BOARD, bare))
    text = as_text(pages(schema, ("stores",)), 200)
    assert "group     sales, owned by Sales (sales@example.org)" in text
    assert "used by   Sales | board (dashboard, Ada), board_2" in text
    orders = as_text(pages(schema, ("orders",)), 200)
    assert "used by   board_2\n" in orders
    assert "group" not in orders
    assert narrowed(schema, ("orders",)).exposures == (bare,)
    whole = as_markdown(pages(schema))
    assert r"| Sales \| board | dashboard | Ada | ada@example.org | stores |" in whole
    assert "exposures" not in as_text(pages(SCHEMA)).lower()


def test_what_an_exposure_shows_is_asked_for_more() -> None:
    def weight(schema: ProjectSchema, about: str) -> float:
        return next(each.weight for each in advise(schema) if each.what.startswith(about))

    exposed = replace(SCHEMA, exposures=(BOARD, replace(BOARD, name="second")))
    for about in ("stores has no proven key", "stores: 1 column without description"):
        assert weight(exposed, about) == 3 * weight(SCHEMA, about)
    about = "orders: 3 columns without description"
    assert weight(exposed, about) == weight(SCHEMA, about)
    # Asked for more often, the gap goes before others.
    order = [each.what for each in advise(exposed)]
    assert order.index("stores has no proven key") < [each.what for each in advise(SCHEMA)].index(
        "stores has no proven key"
    )


def test_what_is_said_of_values_takes_a_row_a_column() -> None:
    def says(value: str, meaning: str) -> Rule:
        sentence = f"In orders, status {value!r} means {meaning}."
        evidence = ("model.shop.orders",)
        return Rule(value, sentence, "orders", f"status = '{value}'", evidence, kind=RuleKind.VALUE)

    schema = replace(SCHEMA, rules=(*SCHEMA.rules, says("A", "open"), says("B", "shut")))
    (page,) = pages(schema, ("orders",))
    grids = dict(page.grids)
    assert grids["Values"].rows == (("status", "orders", "'A' means open. 'B' means shut."),)
    assert [row[0] for row in grids["Rules"].rows] == ["real"]


def test_columns_passed_on_take_a_row_a_node() -> None:
    made = (
        column("a", sources=("model.shop.stg.a",)),
        column("b", sources=("model.shop.stg.B",)),
        column("c", sources=("model.shop.stg.d",)),
        column("e", sources=("model.shop.stg.e",), expression="lower(model.shop.stg.e)"),
        column("f"),
    )
    schema = replace(SCHEMA, tables=(replace(ORDERS, columns=made),), rules=(), joins=())
    (page,) = pages(schema, ("orders",))
    assert dict(page.grids)["Made from"].rows == (
        ("2 columns", "stg", "as they are: a, b"),
        ("c", "stg.d", ""),
        ("e", "stg.e", "lower(stg.e)"),
    )


def test_a_long_cell_goes_on_below_and_details_are_for_markdown() -> None:
    said = "so many words that one line does not hold them " * 3
    grid = Grid(("name", "detail", "says"), (("it", "in full", said.strip()),), detail=("detail",))
    shown = as_text([Page("p", grids=(("", grid),))], width=60).splitlines()
    below = [line for line in shown if "many words" in line or line.startswith("      ")]
    assert len(below) == 2
    assert below[1].startswith("      ")
    assert below[1].endswith("…")
    assert "in full" not in "".join(shown)
    assert f"| it | in full | {said.strip()} |" in as_markdown([Page("p", grids=(("", grid),))])


_CELLS = st.text(st.sampled_from("ab c\n店名é—'`\u0301"), max_size=90)


@given(st.lists(st.tuples(_CELLS, _CELLS, _CELLS), min_size=1, max_size=4))
def test_whatever_the_cells_hold_the_text_keeps_its_width(
    rows: list[tuple[str, str, str]],
) -> None:
    page = Page("p", grids=(("", Grid(("a", "b", "c"), tuple(rows))),))
    lines = as_text([page], width=60).split("\n")
    assert len(lines) <= 6 + 2 * len(rows)
    for line in lines:
        wide = [unicodedata.east_asian_width(char) in "WF" for char in line]
        marks = [bool(unicodedata.combining(char)) for char in line]
        assert len(line) + sum(wide) - sum(marks) <= 60
