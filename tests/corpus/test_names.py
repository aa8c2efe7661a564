"""Everyday names: unambiguous parts, synonyms that name nothing else, descriptions that fit."""

from __future__ import annotations

import pytest

from dbt_t2s.corpus.business_words import HAPPENS, PEOPLE, WORDS
from dbt_t2s.corpus.names import OtherNames, flag_phrases
from dbt_t2s.corpus.nouns import is_participle, plural, singular
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table
from tests.model.shop_schema import amount, category, one_table


def _text(name: str, description: str = "", *values: str) -> Column:
    return Column(
        name, "VARCHAR", Kind.TEXT, Role.CATEGORY, description=description, values=tuple(values)
    )


def _flag(description: str) -> Column:
    return Column("is_x", "BOOLEAN", Kind.BOOLEAN, Role.FLAG, description=description)


def _schema(*tables: Table) -> ProjectSchema:
    return ProjectSchema("p", "duckdb", tables, (), (), ())


def _table(name: str, *columns: Column) -> Table:
    return Table(name, f'"{name}"', f"model.p.{name}", "", columns, entity=name.removesuffix("s"))


def test_a_part_of_a_name_is_said_where_nothing_else_has_it() -> None:
    manager = _text("general_manager")
    alone = OtherNames(_schema(_table("hotels", manager)))
    assert "manager" in alone.of_column(manager, ("general manager",))
    beside = OtherNames(_schema(_table("hotels", manager, _text("night_manager"))))
    assert "manager" not in beside.of_column(manager, ("general manager",))
    valued = OtherNames(_schema(_table("hotels", manager, _text("job", "", "manager"))))
    assert "manager" not in valued.of_column(manager, ("general manager",))


@pytest.mark.parametrize(
    "name",
    [
        "spend_pretax",
        "first_response",
        "signup_date",
        "seats_sold",
        "price_per_night",
        "order_count",
    ],
)
def test_no_part_that_means_something_else(name: str) -> None:
    column = _text(name)
    names = OtherNames(_schema(_table("t", column))).of_column(column, (name.replace("_", " "),))
    assert not {"pretax", "response", "date", "sold", "night", "count"} & set(names)


def test_another_word_is_said_only_where_it_names_nothing() -> None:
    customers, suppliers = _table("customers"), _table("suppliers", _text("vendor"))
    names = OtherNames(_schema(customers, suppliers))
    assert set(names.of_table(customers)) == {"client", "buyer", "shopper"}
    assert names.of_table(suppliers) == ()
    taken = OtherNames(_schema(customers, _table("orders", _text("kind", "", "client"))))
    assert set(taken.of_table(customers)) == {"buyer", "shopper"}


def test_a_total_that_ends_a_name_is_no_overall() -> None:
    total = Column("order_total", "DECIMAL", Kind.NUMBER, Role.MEASURE)
    names = OtherNames(_schema(_table("orders", total))).of_column(total, ("order total",))
    assert "order overall" not in names


def test_a_short_description_is_a_name() -> None:
    rooms = _text("room_total", "Number of rooms.")
    names = OtherNames(_schema(_table("hotels", rooms)))
    assert "number of rooms" in names.of_column(rooms, ("room total",))
    for said in ("Who leads it.", "Whether it is open.", "One row per x.", "a, b", "Is set later."):
        assert names.of_column(_text("x_y", said), ("x y",)) == ("y",)


@pytest.mark.parametrize(
    ("description", "clause"),
    [
        ("Whether it offers a spa.", "offer a spa"),
        ("True if the order was packed as a gift", "were packed as a gift"),
        ("Whether the guest may not book again", "may not book again"),
        ("True when the customer agreed to mails", "agreed to mails"),
        ("Whether the guest would tell friends to come", ""),
        ("Whether it is open or not", "are open"),
        ("Whether it is closed if known", ""),
        ("Marks test rows", ""),
        ("", ""),
    ],
)
def test_flags_by_their_descriptions(description: str, clause: str) -> None:
    assert flag_phrases(_flag(description)) == ((clause,) if clause else ())


def test_tables_go_by_their_rows_not_by_their_layer() -> None:
    vocabulary = Vocabulary(_schema(_table("dim_customers"), _table("fct_orders_d")))
    tables = vocabulary.schema.tables
    assert vocabulary.nouns(tables[0])[0] == "customers" and vocabulary.people(tables[0])
    assert vocabulary.nouns(tables[1])[0] == "orders" and not vocabulary.people(tables[1])
    assert vocabulary.one_people


def test_other_words_for_a_table_have_no_mark_either() -> None:
    ltv = Table("fct_customer_ltv", "t", "model.p.t", "", ())
    names = OtherNames(_schema(ltv, _table("orders"))).of_table(ltv)
    assert "client ltv" in names and not any("fct" in name for name in names)


def test_what_happened_names_no_other_date() -> None:
    opened = Column("opened_at", "DATE", Kind.DATE, Role.TIME)
    came = Column("came_back_on", "DATE", Kind.DATE, Role.TIME)
    table = Table("tickets", "t", "model.p.t", "", (opened, came), time_column="opened_at")
    told = Vocabulary(_schema(table)).happened(table)
    assert {"were opened", "did we get"} <= set(told)
    assert "came in" not in told, "another date of a ticket is when it came back"


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("item in the catalogue", "items in the catalogue"),
        ("seat sold", "seats sold"),
        ("region the site stands in", "regions the site stands in"),
        ("lent equipment", "lent equipment"),
        ("country advertised in", "countries advertised in"),
        ("net discounted amount", "net discounted amounts"),
        ("gift or not", "gift or not"),
    ],
)
def test_plurals_of_longer_phrases(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(many) == one


def test_participles() -> None:
    assert is_participle("delivered") and is_participle("sent")
    assert not is_participle("speed") and not is_participle("bed")


def test_the_lists_are_well_formed() -> None:
    assert all(word == word.lower() and others for word, others in WORDS.items())
    assert all(word not in others for word, others in WORDS.items())
    assert {"customer", "employee"} <= PEOPLE and "order" not in PEOPLE
    assert all(verbs for verbs in HAPPENS.values())


def test_an_ordinal_is_not_summed() -> None:
    columns = (amount("line_number", "9"), amount("net_amount", "500"))
    words = Vocabulary(one_table(*columns))
    assert [c.name for c in words.measured(words.tables["orders"])] == ["net_amount"]


def test_a_short_code_does_not_tell_its_column() -> None:
    words = Vocabulary(one_table(category("language", ("nl", "de")), category("city", ("Lyon",))))
    told = {d.column.name: words.tells(d) for d in words.dimensions("orders")}
    assert told == {"language": False, "city": True}
