"""Abbreviations are written out where the project shows what they stand for, and only there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.project.schema import Column, Join, Kind, Role, Table
from dbt_t2s.project.vocabulary import abbreviates, abbreviations, words, written_out


def column(name: str, description: str = "", **more: object) -> Column:
    return Column(name, "INT", Kind.NUMBER, Role.MEASURE, description=description, **more)  # type: ignore[arg-type]


def table(name: str, entity: str, *columns: Column, **more: object) -> Table:
    return Table(name, name, f"model.shop.{name}", "", columns, entity=entity, **more)  # type: ignore[arg-type]


def synonyms(*columns: Column) -> dict[str, tuple[str, ...]]:
    """What the columns of one table are also called afterwards."""
    (found,) = written_out([table("orders", "order", *columns)], ())
    return {each.name: each.synonyms for each in found.columns}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("cust", "customer"), ("amt", "amount"), ("qty", "quantity"), ("avg", "average"),
        ("dept", "department"), ("acct", "account"), ("pkg", "package"), ("addr", "address"),
        ("ord", "order"), ("nbr", "number"),
    ],
)  # fmt: skip
def test_short_for(short: str, long: str) -> None:
    assert abbreviates(short, long)
    assert not abbreviates(long, short)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("last", "latest"), ("net", "negotiated"), ("order", "orders"), ("order", "ordered"),
        ("ship", "shipping"), ("no", "number"), ("amt", "amounts paid"), ("cust", "client"),
        ("q1", "quarter"), ("größ", "größenordnung"), ("", "amount"),
    ],
)  # fmt: skip
def test_not_short_for(short: str, long: str) -> None:
    assert not abbreviates(short, long)


def test_names_fall_into_words_of_any_script() -> None:
    assert words("netAmt_eur") == ("net", "amt", "eur")
    assert words("größe_店名-2") == ("größe", "店名", "2")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (column("qty", "Quantity of items."), ("quantity",)),
        (column("tot_amt", "The total amount in euro."), ("total amount",)),
        (column("prod_name", label="Product title"), ("product name",)),
        (column("prod_name", synonyms=("product",)), ("product", "product name")),
        (column("cust_no", "x", sources=("model.shop.stg.customer_no",)), ("customer no",)),
        # Its label or a synonym says it already.
        (column("qty", label="Quantity"), ()),
        (column("qty", synonyms=("quantity",)), ("quantity",)),
        # Prose that speaks of something else, and words that are no abbreviation.
        (column("net_fee", "What was left when negotiated."), ()),
        (column("prod_flag", "Whether it is a product."), ()),
        (column("days_per_unit", "Days in a period."), ()),
        (column("min_price", "Lowest price of the last 30 minutes."), ()),
        # Two words that it may stand for.
        (column("inv", label="Invoice, investment"), ()),
        # What is calculated is something else.
        (column("cust_no", sources=("m.customer_no",), expression="m.customer_no + 1"), ()),
        (column("cust_no", sources=("m.customer_no_old",)), ()),
        (column("betrag_größe", "Der Betrag und die Größenordnung."), ()),
    ],
)
def test_what_a_column_shows_of_its_own_name(known: Column, expected: tuple[str, ...]) -> None:
    assert synonyms(known)[known.name] == expected


def test_a_join_and_a_key_show_whose_rows_are_meant() -> None:
    orders = table("orders", "order", column("bill_cust_id"), column("cust_note"))
    dim = table("dim_cust", "cust", column("customer_id"), primary_key=("customer_id",))
    clients = table("customers", "customer", column("cust_id"), primary_key=("cust_id",))
    join = Join("orders", ("bill_cust_id",), "customers", ("cust_id",))
    (found, _, _) = written_out([orders, clients, dim], [join])
    assert found.column("bill_cust_id").synonyms == ("bill customer id",)
    assert found.column("cust_note").synonyms == ("customer note",)
    assert written_out([dim], ())[0].synonyms == ("customer",)
    guessed = Join("orders", ("bill_cust_id",), "customers", ("cust_id",), proven=False)
    plain = table("customers", "customer", column("cust_id"))
    assert written_out([orders, plain], [guessed]) == (orders, plain)


def test_a_word_spreads_only_while_nothing_else_may_be_meant() -> None:
    shown = table("bills", "bill", column("inv_no", label="Invoice no"))
    bare = table("stock", "stock", column("inv_qty"))
    other = table("inventory", "inventory", column("x"))
    assert written_out([shown, bare], ())[1].columns[0].synonyms == ("invoice qty",)
    assert written_out([shown, bare, other], ())[1].columns[0].synonyms == ()
    said = table("y", "y", column("x", "The inv of the year."))
    assert written_out([shown, bare, said], ())[1].columns[0].synonyms == ()


def test_the_evidence_is_kept() -> None:
    known = table("orders", "order", column("qty", "Quantity."), column("qty_sold", "x"))
    (found,) = abbreviations([known], ())
    assert (found.short, found.long) == ("qty", "quantity")
    assert (found.where, found.evidence) == ("orders.qty", "description")


_NAMES = st.sampled_from(
    ("qty", "amt", "cust", "quantity", "amount", "total", "店名", "id", "größe")
)
_TEXTS = st.lists(_NAMES, max_size=4).map(" ".join)


@given(st.lists(st.tuples(st.lists(_NAMES, min_size=1, max_size=3), _TEXTS, _TEXTS), max_size=5))
def test_synonyms_are_only_added_and_only_once(
    given_columns: list[tuple[list[str], str, str]],
) -> None:
    columns = [
        column("_".join(name), description, label=label)
        for name, description, label in given_columns
    ]
    before = [table("orders", "order", *columns)]
    after = written_out(before, ())
    assert written_out(after, ()) == after
    for old, new in zip(before[0].columns, after[0].columns, strict=True):
        called = [old.name.replace("_", " "), old.label, *new.synonyms]
        assert len(new.synonyms) <= 1
        assert len({each.lower() for each in called if each}) >= len(new.synonyms) + 1
