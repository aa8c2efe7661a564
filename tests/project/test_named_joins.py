"""Joins that names alone suggest: what they fit best, and what they do not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.project import identifiers, kindred, named_joins
from dbt_t2s.project.schema import Column, Kind, Role, Table


def tables(written: str) -> tuple[Table, ...]:
    """``orders(id, day:date) people(*id, name:text)``: ``*`` marks a key that somebody states."""
    kinds = {"": Kind.NUMBER, "text": Kind.TEXT, "date": Kind.DATE}
    built = []
    for each in written.split(") "):
        name, _, listed = each.rstrip(")").partition("(")
        columns: list[Column] = []
        key: tuple[str, ...] = ()
        for column in listed.split(", "):
            said, _, kind = column.partition(":")
            columns.append(Column(said.lstrip("*"), "", kinds[kind], Role.TEXT))
            key = (said.lstrip("*"),) if said.startswith("*") else key
        built.append(Table(name, name, f"model.p.{name}", "", tuple(columns), primary_key=key))
    return tuple(built)


def guessed(written: str) -> set[str]:
    found = named_joins.find(tables(written))
    return {f"{g.table}.{g.column} -> {g.to_table}.{g.to_column}" for g in found}


@pytest.mark.parametrize(
    ("written", "guess"),
    [
        # what a person does, and the table of people
        (
            "customers(*id, support_rep_id) employees(*id, name:text)",
            "customers.support_rep_id -> employees.id",
        ),
        ("classes(*code, instructor) faculty(*fac_id)", "classes.instructor -> faculty.fac_id"),
        ("posts(*id, created_by) users(*id)", "posts.created_by -> users.id"),
        ("gymnasts(*gymnast_id) people(*people_id)", "gymnasts.gymnast_id -> people.people_id"),
        ("bookings(*id, client_id) customers(*id)", "bookings.client_id -> customers.id"),
        # the head of the name
        (
            "events(*id, member_in_charge_id) members(*member_id)",
            "events.member_in_charge_id -> members.member_id",
        ),
        # another column says the same with an id
        (
            "vocals(*song_id, bandmate) solos(*solo_id, bandmate_id) band(*id)",
            "vocals.bandmate -> band.id",
        ),
        # prefixes, numbers and roles after the id
        ("sales(*id, id_customer) customers(*id)", "sales.id_customer -> customers.id"),
        ("games(*game_id, club_id_2) clubs(*club_id)", "games.club_id_2 -> clubs.club_id"),
        (
            "games(*game_id, club_id_winner) clubs(*club_id)",
            "games.club_id_winner -> clubs.club_id",
        ),
        # marks of columns and of tables
        (
            "orders(*o_orderkey, o_custkey) customer(*c_custkey, c_name:text)",
            "orders.o_custkey -> customer.c_custkey",
        ),
        (
            "wp_posts(*ID, post_author) wp_users(*ID) wp_terms(*term_id)",
            "wp_posts.post_author -> wp_users.ID",
        ),
        ("lines(*id, salesorderid) sales_orders(*id)", "lines.salesorderid -> sales_orders.id"),
        # any day, and the calendar
        (
            "visits(*id, came_on:date) dim_calendar(calendar_date:date, weekday)",
            "visits.came_on -> dim_calendar.calendar_date",
        ),
        # of two keys of one table the one that ends alike
        (
            "trade(*id, export_country_code) dim_country(country_id, country_code)",
            "trade.export_country_code -> dim_country.country_code",
        ),
        # a natural key under a role, or as it is
        (
            "risks(*id, reporter_iso3:text) dim_country(*iso3:text, name:text)",
            "risks.reporter_iso3 -> dim_country.iso3",
        ),
        (
            "flights(*id, carrier:text) airlines(*carrier:text)",
            "flights.carrier -> airlines.carrier",
        ),
        # misspelt: a letter is missing
        (
            "wines(*no, appelation:text) appellations(*no, appelation:text)",
            "wines.appelation -> appellations.appelation",
        ),
        # the table that names its rows is where they are told of
        (
            "accounts(*custid, name:text) savings(*custid) checking(*custid)",
            "savings.custid -> accounts.custid",
        ),
    ],
)
def test_names_that_point(written: str, guess: str) -> None:
    assert guess in guessed(written)


@pytest.mark.parametrize(
    "written",
    [
        "stores(*id, contact_email_address:text) addresses(*id:text)",  # an attribute
        "shops(*id, fee_per_ticket) tickets(*id)",  # a rate
        "pages(*id, seconds_on_page) visits(*visit_id)",
        "parties(*id, manager:text) employees(*employee_id:text)",  # a name, for want of an id
        "items(*id, parent_item_id) other_items(*other_item_id)",  # its own table's rows
        "logs(*row_id) notes(*row_id)",  # counts rows
        "order_items(*order_item_id, price) articles(*id)",  # a key of its own
        "users(*id, name:text) names(*id, name:text)",  # a label
        "sales(*id, region) bridge_event_region(event_id, region_id)",  # a bridge
        "kpis(*id, store_count) narrow_store_count(store_count)",  # a measure
        "sales(*id, month) dim_time(*month_key, month)",  # a month is no key of months
        "visits(*id, came_on:date) patients(*id, born_on:date)",  # no calendar
    ],
)
def test_names_that_do_not_point(written: str) -> None:
    assert guessed(written) == set()


def test_a_table_beats_one_that_only_ends_like_it() -> None:
    found = guessed(
        "tracks(id, name:text) playlist_tracks(playlist_id, track_id) lines(id, track_id)"
    )
    assert "lines.track_id -> tracks.id" in found
    assert "playlist_tracks.track_id -> tracks.id" in found


def test_a_first_column_is_no_key_where_another_table_names_its_own() -> None:
    found = guessed("sales(sold_date_sk, price) returns(sold_date_sk, price) date_dim(date_sk)")
    assert found == {
        "sales.sold_date_sk -> date_dim.date_sk",
        "returns.sold_date_sk -> date_dim.date_sk",
    }


def test_two_keys_that_fit_alike_are_no_guess() -> None:
    found = guessed("visits(*id, shop_code) shop_a(*shop_code) shop_b(*shop_code)")
    assert not any(each.startswith("visits") for each in found)


def test_the_narrower_circle_of_people_comes_first() -> None:
    found = guessed("cases(*id, manager_id) people(*id) staff(*id)")
    assert found == {"cases.manager_id -> staff.id"}


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("id", ()),
        ("StuID", ("stu",)),
        ("customer_id_2", ("customer",)),
        ("fk_customer", ("customer",)),
        ("address_2", ("address", "2")),
        ("dnumber", ("d",)),
        ("row_id", ()),
        ("row_number", ()),
        ("_", ()),
    ],
)
def test_what_a_key_names(name: str, stem: tuple[str, ...]) -> None:
    assert tuple(identifiers.folded(word) for word in stem) == identifiers.stem(name)


@pytest.mark.parametrize(
    ("one", "many"),
    [("day", "days"), ("city", "cities"), ("box", "boxes"), ("people", "person"), ("key", "keys")],
)
def test_singular_and_plural_are_one_word(one: str, many: str) -> None:
    assert identifiers.folded(one) == identifiers.folded(many)


def test_kin_is_mutual_among_synonyms_and_never_the_word_itself() -> None:
    assert kindred.kin("customer") and "customer" in kindred.kin("client")
    for word in ("customer", "manager", "pilot", "by", "window"):
        assert identifiers.folded(word) not in kindred.kin(identifiers.folded(word))
    assert kindred.kin("window") == ()


NAMES = st.text("abcdef_ID12 -ü", max_size=8)


@given(st.dictionaries(NAMES, st.lists(NAMES, unique=True, max_size=5), max_size=5))
def test_any_names_are_read_and_guesses_name_what_is_there(named: dict[str, list[str]]) -> None:
    built = tuple(
        Table(
            name, name, name, "",
            tuple(Column(c, "", [Kind.NUMBER, Kind.TEXT, Kind.DATE][n % 3], Role.TEXT)
                  for n, c in enumerate(columns)),
        )
        for name, columns in named.items()
    )  # fmt: skip
    for guess in named_joins.find(built):
        assert guess.column in named[guess.table]
        assert guess.to_column in named[guess.to_table]
        assert guess.table != guess.to_table
