"""What a question mentions: values by name, stem, typo, initials and country; numbers and dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.project.schema import FiscalYear, ProjectSchema
from dbt_t2s.query.link import Mention, ValueIndex, mentions
from tests.query.shop import shop_schema

TODAY = date(2026, 6, 30)


def with_values(**values: tuple[str, ...]) -> ProjectSchema:
    """The shop with other values for some columns."""
    schema = shop_schema()
    tables = []
    for table in schema.tables:
        columns = (replace(c, values=values.get(c.name, c.values)) for c in table.columns)
        tables.append(replace(table, columns=tuple(columns)))
    return replace(schema, tables=tuple(tables))


INDEX = ValueIndex(shop_schema())


def found(question: str, index: ValueIndex = INDEX) -> dict[str, Mention]:
    return {m.token: m for m in mentions(question, index, TODAY)}


@pytest.mark.parametrize(
    ("question", "token", "quality"),
    [
        ("how many cancelled orders", "v:orders.status=cancelled", 1.0),
        ("how many Cancelled orders", "v:orders.status=cancelled", 1.0),
        ("who cancels orders", "v:orders.status=cancelled", 0.8),
        ("revenue of coffee beans", "v:products.category=coffee beans", 1.0),
        ("revenue of coffee-beans", "v:products.category=coffee beans", 1.0),
        ("sales of Night Hike", "v:products.product_name=Night Hike", 1.0),
        ("sales of Nihgt Hike", "v:products.product_name=Night Hike", 0.54),
        ("canceled orders", "v:orders.status=cancelled", 0.8),
        ("orders that were complted", "v:orders.status=completed", 0.56),
        ("customers in DE", "v:customers.country=DE", 1.0),
        ("customers in Germany", "v:customers.country=DE", 1.0),
        ("customers in the United Kingdom", "v:customers.country=GB", 1.0),
        ("German customers", "v:customers.country=DE", 0.9),
        ("british customers", "v:customers.country=GB", 0.9),
        ("stores in NY", "v:stores.city=New York", 0.7),
        ("New York's stores", "v:stores.city=New York", 1.0),
    ],
)
def test_values_are_found(question: str, token: str, quality: float) -> None:
    assert found(question)[token].quality == pytest.approx(quality, abs=0.02)


def test_what_an_answer_is_written_in_is_no_condition() -> None:
    """Nor is the scale of a score a number to compare with."""
    named = with_values(status=("EUR", "GBP"))
    tables = tuple(
        replace(
            table,
            columns=tuple(
                replace(c, name="currency") if c.name == "status" else c for c in table.columns
            ),
        )
        for table in named.tables
    )
    index = ValueIndex(replace(named, tables=tables))
    euros = "v:orders.currency=EUR"
    for unit in (
        "our largest order, in euros?",
        "revenue of May (in EUR)",
        "sales - in euro",
        "volume in euro",
        "the order value in EUR.",
    ):
        assert euros not in found(unit, index), unit
    for limit in ("orders in EUR", "orders paid in euros", "revenue, in euros and pounds apart"):
        assert euros in found(limit, index), limit
    for scale in (
        "average mark (the 1-5 score)",
        "how happy, on a scale of 1 to 5",
        "0 to 10 rating",
    ):
        assert not any(token[:2] == "n:" for token in found(scale, index)), scale
    assert "n:5" in found("a score of 1 to 5 points")


def test_a_part_that_only_one_value_holds_is_enough() -> None:
    index = ValueIndex(with_values(city=("Fernhill Brooklyn", "Fernhill Soho", "Leeds")))
    assert found("sales in Brooklyn", index)["v:stores.city=Fernhill Brooklyn"].quality == 0.5
    assert not any("city=" in token for token in found("sales of Fernhill", index))


def test_a_part_that_is_a_value_itself_means_that_value() -> None:
    index = ValueIndex(with_values(city=("York", "New York")))
    assert set(found("sales in York", index)) == {"v:stores.city=York"}


def test_the_longest_match_wins() -> None:
    here = found("stores in New York")
    assert "v:stores.city=New York" in here
    assert "v:stores.city=York" not in here
    assert "v:stores.city=York" in found("stores in York")


def test_a_value_of_two_columns_is_found_in_both() -> None:
    index = ValueIndex(with_values(city=("Berlin",), country=("Berlin",)))
    here = found("orders from berlin", index)
    assert {"v:stores.city=Berlin", "v:customers.country=Berlin"} <= set(here)


def test_a_short_name_is_also_what_it_stands_for_elsewhere() -> None:
    index = ValueIndex(with_values(city=("UK", "German"), country=("United Kingdom", "Germany")))
    uk, german = found("orders to the UK", index), found("German orders", index)
    assert uk["v:stores.city=UK"].quality == 1.0
    assert uk["v:customers.country=United Kingdom"].quality == 0.9
    assert german["v:stores.city=German"].quality == 1.0
    assert german["v:customers.country=Germany"].quality == 0.9


def test_a_word_of_any_question_in_capitals_is_an_abbreviation() -> None:
    index = ValueIndex(with_values(city=("IT", "HR"), country=("United States", "Italy")))
    for said in ("and the US ones?", "US stores", "stores in the US, please"):
        assert "v:customers.country=United States" in found(said, index), said
    assert "v:stores.city=IT" in found("orders of IT", index)
    for said in ("tell us", "show it to us", "WHAT DID IT EARN US?", "NOT shipped", "Us and them"):
        assert not any(token[:2] == "v:" for token in found(said, index)), said


def test_words_of_the_question_itself_are_no_values() -> None:
    index = ValueIndex(with_values(status=("all", "which", "open")))
    assert [m for m in found("which orders of all", index) if m.startswith("v:")] == []


def test_a_capital_letter_is_a_value_though_its_small_one_ends_a_word() -> None:
    sizes = ValueIndex(with_values(status=("S", "M", "L")))
    assert "v:orders.status=S" in found("orders in size S", sizes)
    assert {"v:orders.status=M", "v:orders.status=L"} <= found("M or L?", sizes).keys()
    assert not found("that's what I'm asking: what's the revenue", sizes)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("no show orders by shop", "no_show"),
        ("orders that were a no-show", "no_show"),
        ("how many no shows", "no_show"),
        ("orders with status over", "over"),
        ("orders whose status is over, by shop", "over"),
        ("orders, status: all", "all"),
        ("orders marked over?", "over"),
    ],
)
def test_words_of_any_question_are_values_where_that_is_said(question: str, value: str) -> None:
    index = ValueIndex(with_values(status=("no_show", "over", "all")))
    assert f"v:orders.status={value}" in found(question, index)


@pytest.mark.parametrize(
    "question",
    [
        "show no orders",
        "orders over 5",
        "status over time",
        "orders marked over 5",
        "status of all orders",
        "orders by status over 5",
        "all orders",
    ],
)
def test_words_of_any_question_are_no_values_elsewhere(question: str) -> None:
    index = ValueIndex(with_values(status=("no_show", "over", "all")))
    assert not [token for token in found(question, index) if token.startswith("v:")]


def test_long_values_are_left_out() -> None:
    index = ValueIndex(with_values(product_name=("a very long name of one single product",)))
    assert set(found("a very long name of one single product", index)) == {"n:1"}


def test_a_bare_year_is_a_date_and_a_number() -> None:
    here = found("orders of 2025")
    assert {"d:2025-01-01/2026-01-01", "n:2025"} <= set(here)
    assert here["n:2025"].first == here["d:2025-01-01/2026-01-01"].last == 2


def test_numbers_inside_dates_are_no_numbers() -> None:
    assert set(found("orders on 14 March 2025")) == {"d:2025-03-14/2025-03-15", "n:2025"}
    assert set(found("in the last 30 days")) == {"d:2026-05-31/2026-07-01"}


@pytest.mark.parametrize("question", ['names with "ten t"', "names with 'ten t'", "names “ten t”"])
def test_quoted_text_is_brought_along(question: str) -> None:
    assert "s:ten t" in found(question)


def test_an_apostrophe_quotes_nothing() -> None:
    assert not [t for t in found("what's Ada's name") if t.startswith("s:")]


def test_everything_at_once() -> None:
    here = found("top 5 products by units in Germany since March 2025 with 20% off")
    assert {"n:5", "v:customers.country=DE", "d:2025-03-01/", "n:20", "n:0.2"} <= set(here)


@given(st.text(max_size=60))
def test_any_question_is_read(question: str) -> None:
    for mention in mentions(question, INDEX, TODAY):
        assert 0 <= mention.first <= mention.last
        assert 0 < mention.quality <= 1


def test_codes_are_known_by_what_they_stand_for() -> None:
    index = ValueIndex(with_values(country=("TX", "WY", "USA"), status=("F", "M")))
    assert found("orders from the united states", index)["v:customers.country=USA"]
    # A state only where the column says so, a sex only where it says that.
    assert not found("orders from texas", index)
    schema = with_values(city=("TX", "WY"))
    tables = tuple(
        replace(t, columns=tuple(replace(c, name="state") if c.name == "city" else c
                                 for c in t.columns))
        for t in schema.tables
    )  # fmt: skip
    index = ValueIndex(replace(schema, tables=tables))
    assert "v:stores.state=TX" in found("stores in texas", index)


def test_a_column_of_yes_and_no_is_meant_by_its_name() -> None:
    index = ValueIndex(with_values(category=("Y", "N")))
    assert {"v:products.category=Y", "v:products.category=N"} <= found(
        "products with category", index
    ).keys()


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("titles containing Moon", "Moon"),
        ("names starting with the letter Qu", "Qu"),
        ("what did Emma Hoffmann order", "Emma Hoffmann"),
    ],
)
def test_text_is_sought_without_quotes(question: str, text: str) -> None:
    assert f"s:{text}" in found(question)


def test_nothing_may_mean_nought() -> None:
    assert found("products without any reminder")["n:0"].quality < 0.5
    assert "n:0" not in found("all products")


def test_irregular_forms_are_found() -> None:
    index = ValueIndex(with_values(status=("lost", "sold", "woman")))
    assert "v:orders.status=lost" in found("orders we lose", index)
    assert "v:orders.status=woman" in found("orders by women", index)


def test_people_of_a_country_are_many() -> None:
    assert "v:customers.country=DE" in found("what Germans order")
    index = ValueIndex(with_values(status=("Denmark", "NL")))
    assert "v:orders.status=Denmark" in found("how much do the Danes spend?", index)
    assert "v:orders.status=NL" in found("customers who are Dutchmen", index)


def test_a_word_of_mixed_case_is_one_word() -> None:
    index = ValueIndex(with_values(status=("iOS", "Android")))
    assert "v:orders.status=iOS" in found("users on ios", index)


def test_no_half_of_an_ambiguous_day_is_a_number() -> None:
    assert not [token for token in found("orders on 3/5/2024") if token[:2] in ("d:", "n:")]


def test_a_fiscal_year_is_a_date_where_the_schema_knows_it() -> None:
    known = ValueIndex(replace(shop_schema(), fiscal_year=FiscalYear(2)))
    assert "d:2023-02-01/2024-02-01" in found("orders in FY24", known)
    assert not [token for token in found("orders in FY24") if token[:2] == "d:"]
