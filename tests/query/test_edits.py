"""One change of a plan each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.query import edits
from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import Bucket, Col, Compare, MetricRef, Not, Plan, Range, Time, Value

STATUS, COUNTRY = Col("orders", "status"), Col("customers", "country")
PAID, OPEN = Value("orders", "status", "paid"), Value("orders", "status", "open")


def plan(text: str) -> Plan:
    found = from_tokens((*text.split(), "END"))
    assert found is not None
    return found


def told(found: Plan) -> str:
    return " ".join(to_tokens(found)[:-1])


MONTHLY = plan("MONTH TIME m:revenue WHERE d:2025-01-01/2026-01-01")
RANKED = plan("c:orders.status m:revenue HAVING GT m:revenue n:5 DESC m:revenue LIMIT n:3")
LISTED = plan("c:customers.name WHERE v:customers.country=FR")


def test_groups_come_and_go() -> None:
    assert told(edits.add_dim(MONTHLY, STATUS)).startswith("MONTH TIME c:orders.status m:revenue")
    quarter = Bucket("QUARTER", Time())
    swapped = edits.replace_dim(MONTHLY, Bucket("MONTH", Time()), quarter)
    assert told(swapped).startswith("QUARTER TIME m:revenue")
    assert told(edits.ungrouped(RANKED)) == "m:revenue"
    assert edits.add_dim(RANKED, STATUS) == RANKED


def test_an_order_by_a_group_goes_with_it() -> None:
    sorted_ = edits.ordered(MONTHLY, Bucket("MONTH", Time()), True)
    assert edits.with_dims(sorted_, (STATUS,)).order is None
    assert edits.with_dims(RANKED, (COUNTRY,)).limit == "3"


def test_a_measure_is_replaced_wherever_it_stands() -> None:
    found = edits.with_measure(RANKED, MetricRef("margin"))
    assert told(found) == (
        "c:orders.status m:margin HAVING GT m:margin n:5 DESC m:margin LIMIT n:3"
    )
    share = edits.wrapped(RANKED, "SHARE")
    assert "SHARE m:margin" in told(edits.with_measure(share, MetricRef("margin")))
    assert edits.without_wrappers(share).select == RANKED.select


def test_what_is_measured_becomes_a_part_of_something_else() -> None:
    found = told(edits.ratio(RANKED, MetricRef("orders")))
    assert found == ("c:orders.status DIV m:revenue m:orders DESC DIV m:revenue m:orders LIMIT n:3")
    assert edits.ratio(RANKED, MetricRef("revenue")) == RANKED
    assert edits.ratio(edits.ratio(RANKED, MetricRef("orders")), MetricRef("margin")).select == (
        edits.ratio(RANKED, MetricRef("orders")).select
    )
    assert edits.ratio(LISTED, MetricRef("orders")) == LISTED


def test_a_value_gives_way_to_another_of_its_column() -> None:
    one = edits.with_value(LISTED, Value("customers", "country", "NL"))
    assert told(one) == "c:customers.name WHERE v:customers.country=NL"
    two = edits.with_value(edits.with_pred(RANKED, PAID), OPEN)
    assert two.where == (OPEN,)
    either = edits.or_value(edits.with_pred(RANKED, PAID), OPEN)
    assert told(Plan((), either.where)) == "WHERE OR v:orders.status=paid v:orders.status=open"
    assert edits.without_column(edits.with_pred(RANKED, Not(PAID)), "status").where == ()


def test_periods_move_by_themselves() -> None:
    assert edits.period(edits.shifted(MONTHLY, "year", -1)) == Range("2024-01-01", "2025-01-01")
    assert edits.period(edits.shifted(MONTHLY, "period", -1)) == Range("2024-01-01", "2025-01-01")
    march = edits.with_period(MONTHLY, Range("2025-03-01", "2025-04-01"))
    assert edits.period(edits.shifted(march, "period", -1)) == Range("2025-02-01", "2025-03-01")
    week = edits.with_period(MONTHLY, Range("2025-03-03", "2025-03-10"))
    assert edits.period(edits.shifted(week, "period", 1)) == Range("2025-03-10", "2025-03-17")
    assert edits.shifted(LISTED, "year", -1) == LISTED
    assert edits.period(edits.without_period(MONTHLY)) is None


def test_rows_and_counts() -> None:
    assert told(edits.counted(LISTED, "customers")).startswith("COUNT t:customers WHERE")
    assert told(edits.top(MONTHLY, "5", None)).endswith("DESC m:revenue LIMIT n:5")
    assert edits.top(RANKED, "1", None).order == RANKED.order
    assert edits.flipped(RANKED).order != RANKED.order
    assert edits.flipped(MONTHLY) == MONTHLY


@given(
    st.sampled_from((MONTHLY, RANKED, LISTED)),
    st.lists(
        st.sampled_from(("group", "value", "not", "top", "share", "ratio", "measure", "total"))
    ),
)
def test_edits_in_any_order_give_a_plan_that_can_be_written(start: Plan, names: list[str]) -> None:
    made = start
    for name in names:
        match name:
            case "group":
                made = edits.add_dim(made, STATUS)
            case "value":
                made = edits.with_value(made, PAID)
            case "not":
                made = edits.with_pred(made, Not(OPEN))
            case "top":
                made = edits.top(made, "3", True)
            case "share":
                made = edits.wrapped(made, "SHARE")
            case "ratio":
                made = edits.ratio(made, MetricRef("orders"))
            case "measure":
                made = edits.with_measure(made, MetricRef("margin"))
            case _:
                made = edits.ungrouped(made) if edits.measures(made) else made
    assert from_tokens(to_tokens(made)) == made
    assert all(not isinstance(p, Compare) or edits.measures(made) for p in made.having)
