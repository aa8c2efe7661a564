"""Questions with a simpler one inside: what is inside, and what is made of its plan."""

from __future__ import annotations

from datetime import date

import pytest

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.frames import frame_of
from dbt_t2s.query.linear import from_tokens, to_tokens
from tests.query.shop import shop_schema

TODAY = date(2026, 6, 30)
_NOW, _THEN = "d:2025-01-01/2026-01-01", "d:2024-01-01/2025-01-01"
_GROWN = f"DIV SUB ONLY m:revenue {_NOW} ONLY m:revenue {_THEN} ONLY m:revenue {_THEN}"
_DEAR = "c:products.product_name DESC c:products.price LIMIT"


@pytest.mark.parametrize(
    ("question", "core", "plan", "whole"),
    [
        (
            "By what percentage did revenue grow from 2024 to 2025?",
            "revenue in 2025",
            f"m:revenue WHERE {_NOW} END",
            f"{_GROWN} END",
        ),
        (
            "how much higher was revenue by channel in 2025 than in 2024, in %",
            "revenue by channel in 2025",
            f"c:orders.channel m:revenue WHERE {_NOW} v:orders.status=paid END",
            f"c:orders.channel {_GROWN} WHERE v:orders.status=paid END",
        ),
        (
            "yoy growth of orders in 2025",
            "orders in 2025",
            f"c:orders.order_id WHERE {_NOW} END",
            _GROWN.replace("m:revenue", "COUNT t:orders") + " END",
        ),
        (
            "orders placed last month vs the month before, % change",
            "orders placed in last month",
            "m:orders WHERE ON c:orders.day d:2026-05-01/2026-06-01 END",
            "DIV SUB ONLY m:orders ON c:orders.day d:2026-05-01/2026-06-01 "
            "ONLY m:orders ON c:orders.day d:2026-04-01/2026-05-01 "
            "ONLY m:orders ON c:orders.day d:2026-04-01/2026-05-01 END",
        ),
        (
            "yoy growth of revenue by month in 2025",
            "revenue by month in 2025",
            f"MONTH TIME m:revenue WHERE {_NOW} END",
            f"MONTH TIME CHANGE_OVER n:12 m:revenue WHERE {_NOW} END",
        ),
        (
            "What share of revenue comes from the top 10 customers?",
            "top 10 customers by revenue",
            "c:customers.name m:revenue DESC m:revenue LIMIT n:10 END",
            "c:customers.name m:revenue DESC m:revenue LIMIT n:10 OF_TOTAL END",
        ),
        (
            "share of revenue in 2025 from the five most loyal customers of that year",
            "top 5 customers by revenue in 2025",
            "c:customers.name SHARE m:revenue DESC SHARE m:revenue LIMIT n:5 END",
            "c:customers.name DESC m:revenue LIMIT n:5 OF_TOTAL END",
        ),
        (
            "which brands make up more than 10% of revenue?",
            "revenue by brands",
            "c:products.brand m:revenue DESC m:revenue END",
            "c:products.brand HAVING GT SHARE m:revenue n:0.1 END",
        ),
        (
            "what channels account for at most 2.5 percent of all orders",
            "orders by channels",
            "c:orders.channel SHARE COUNT t:orders END",
            "c:orders.channel HAVING LE SHARE COUNT t:orders n:0.025 END",
        ),
        (
            "which product is the third most expensive",
            "which product is the most expensive",
            f"{_DEAR} ONE END",
            f"{_DEAR} ONE SKIP n:2 END",
        ),
        (
            "rolling 3 month average of revenue in 2025",
            "revenue in 2025 by month",
            f"MONTH TIME m:revenue WHERE {_NOW} END",
            f"MONTH TIME ROLLING_AVG n:3 m:revenue WHERE {_NOW} END",
        ),
        (
            "orders per day, seven-day moving total",
            "orders by day",
            "DAY TIME COUNT t:orders END",
            "DAY TIME ROLLING_SUM n:7 COUNT t:orders END",
        ),
        (
            "revenue on weekends vs weekdays",
            "revenue by weekday",
            "DOW TIME m:revenue DESC m:revenue END",
            "WEEKEND TIME m:revenue END",
        ),
        (
            "how many orders came in on Saturdays and Sundays in 2025",
            "how many orders came in in 2025",
            f"COUNT t:orders WHERE {_NOW} END",
            f"COUNT t:orders WHERE {_NOW} WEEKDAYS TIME s:Saturday,Sunday END",
        ),
        (
            "How many weeks in 2025 had more than 500 in revenue?",
            "which weeks in 2025 had more than 500 in revenue",
            f"WEEK TIME m:revenue WHERE {_NOW} HAVING GT m:revenue n:500 DESC m:revenue END",
            f"WEEK TIME WHERE {_NOW} HAVING GT m:revenue n:500 COUNTED END",
        ),
        (
            "orders at the weekend by shipping day",
            "orders by shipping day",
            "DAY c:orders.shipped COUNT t:orders END",
            "DAY c:orders.shipped COUNT t:orders WHERE WEEKDAYS c:orders.shipped "
            "s:Saturday,Sunday END",
        ),
    ],
)
def test_what_is_asked_is_made_of_a_simpler_question(
    question: str, core: str, plan: str, whole: str
) -> None:
    frame = frame_of(question, TODAY)
    assert frame is not None
    assert frame.core == core
    inside = from_tokens(plan.split())
    assert inside is not None
    made = frame.around(inside)
    assert made is not None
    assert " ".join(to_tokens(made)) == whole


@pytest.mark.parametrize(
    "question",
    [
        "revenue in 2025 and 2024",
        "how did revenue in 2025 compare with 2024",
        "percentage of orders with a promo code in 2025 and in 2024",
        "revenue growth month over month since January 2025",
        "change of revenue by month in 2025",
        "share of revenue by brand",
        "top 10 customers by share of revenue",
        "which brands make up our range",
        "the second order of each customer",
        "second hand phones sold in May",
        "revenue of last weekend",
        "orders on Sunday",
        "average revenue of the last 3 months",
        "which shops are above 20% margin",
        "how many orders were cancelled",
        "share of orders by channel that were cancelled",
        "what share of revenue comes from the app",
    ],
)
def test_what_is_asked_plainly_has_no_frame(question: str) -> None:
    assert frame_of(question, TODAY) is None


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        ("By what percentage did revenue grow from 2024 to 2025?", "m:revenue LIMIT ONE END"),
        ("By what percentage did it grow from 2024 to 2025?", "m:revenue m:orders END"),
        ("yoy growth of revenue by month", "m:revenue END"),
        ("share of revenue from the top 5 shops", f"{_DEAR} n:10 END"),
        ("share of revenue from the top 5 shops", "c:stores.city m:revenue END"),
        ("which brands make up more than 10% of revenue", "m:revenue END"),
        ("the second best shop", f"{_DEAR} n:2 END"),
        ("rolling 3 month average of revenue", "m:revenue END"),
        ("rolling 3 month average of revenue", "DAY TIME m:revenue END"),
        ("revenue on weekends vs weekdays", "m:revenue END"),
        ("shops that close on Sundays", "c:stores.store_name END"),
        ("how many shops have more than 5 rooms", "c:stores.name WHERE GT c:stores.rooms n:5 END"),
        ("how many shops have over 5 visits", "c:stores.name c:stores.city HAVING GT m:v n:5 END"),
    ],
)
def test_other_plans_are_left(question: str, plan: str) -> None:
    frame = frame_of(question, TODAY)
    inside = from_tokens(plan.split())
    assert frame is not None
    assert inside is not None
    assert frame.around(inside) is None


def test_a_flag_of_the_schema_says_weekend_itself() -> None:
    frame = frame_of("how many orders on weekends", TODAY)
    assert frame is not None
    assert frame.is_said_by("COUNT t:orders WHERE c:orders.is_weekend END".split())
    assert not frame.is_said_by("COUNT t:orders WHERE c:orders.is_gift END".split())


_BUYERS, _TWICE = "r:buyer", "GT COUNT t:orders n:1"


@pytest.mark.parametrize(
    ("question", "part", "whole"),
    [
        ("What share of our buyers have ordered more than once?",
         "how many buyers have ordered more than once", "how many buyers"),
        ("what percentage of the orders that were paid in May was returned",
         "how many orders that were paid in May were returned",
         "how many orders that were paid in May"),
        ("share of customers who have a phone number",
         "how many customers have a phone number", "how many customers"),
        ("the proportion of tickets without an answer",
         "how many tickets without an answer", "how many tickets"),
    ],
)  # fmt: skip
def test_a_share_of_rows_has_two_questions_inside(question: str, part: str, whole: str) -> None:
    frame = frame_of(question, TODAY)
    assert frame is not None
    assert (frame.core, frame.beside) == (part, whole)


@pytest.mark.parametrize(
    ("part", "whole", "made"),
    [
        (
            f"COUNT t:customers WHERE {_BUYERS} {_TWICE} END",
            f"COUNT t:customers WHERE {_BUYERS} END",
            f"DIV ONLY COUNT t:customers {_TWICE} COUNT t:customers WHERE {_BUYERS} END",
        ),
        (
            f"m:buyers WHERE {_TWICE} c:customers.has_phone END",
            "m:buyers END",
            f"DIV ONLY ONLY m:buyers {_TWICE} c:customers.has_phone m:buyers END",
        ),
        (
            f"COUNT t:customers WHERE c:customers.has_phone {_NOW} END",
            f"COUNT t:customers WHERE {_BUYERS} END",
            f"RATE c:customers.has_phone WHERE {_BUYERS} {_NOW} END",
        ),
        (f"COUNT t:customers WHERE {_NOW} END", "COUNT t:customers END", ""),
        ("COUNT t:customers END", "COUNT t:customers END", ""),
        (f"COUNT t:orders WHERE {_TWICE} END", "COUNT t:customers END", ""),
        (f"c:customers.name WHERE {_TWICE} END", "COUNT t:customers END", ""),
        (f"COUNT t:customers WHERE {_TWICE} HAVING GT m:x n:1 END", "COUNT t:customers END", ""),
    ],
)
def test_a_share_of_rows_is_made_of_both_answers(part: str, whole: str, made: str) -> None:
    frame = frame_of("share of buyers that ordered twice", TODAY)
    of_part, of_whole = from_tokens(part.split()), from_tokens(whole.split())
    assert frame is not None
    assert of_part is not None
    assert of_whole is not None
    found = frame.made(of_part, of_whole)
    assert (" ".join(to_tokens(found)) if found else "") == made
    assert frame.made(of_part, None) is None


@pytest.mark.parametrize(
    ("question", "core", "price"),
    [
        ("stock value at cost by category", "total stock by category", "unit_cost"),
        ("What is our inventory worth?", "total stock", "unit_cost"),
        ("value of the stock by category at list prices", "total stock by category", "list_price"),
        ("what is the stock in the warehouse worth today, valued at purchase cost?", "total stock",
         "unit_cost"),
    ],
)  # fmt: skip
def test_stock_is_worth_its_number_times_its_cost(question: str, core: str, price: str) -> None:
    frame = frame_of(question, TODAY, stocked())
    assert frame is not None
    assert frame.core == core
    inside = from_tokens(
        "c:products.category SUM c:products.stock DESC SUM c:products.stock END".split()
    )
    assert inside is not None
    made = frame.around(inside)
    assert made is not None
    wanted = f"c:products.category SUM PRODUCT c:products.stock c:products.{price} END"
    assert " ".join(to_tokens(made)) == wanted
    other = from_tokens(["COUNT", "t:products", "END"])
    assert other is not None
    assert frame.around(other) is None


@pytest.mark.parametrize(
    ("question", "columns"),
    [
        ("value of the discontinued stock", ("stock", "unit_cost")),
        ("how much stock do we have", ("stock", "unit_cost")),
        ("what is our stock worth", ("stock", "weight")),
        ("what is our stock worth", ("stock", "unit_cost", "freight_cost")),
        ("what is our stock worth", ("stock", "unit_cost", "stock_value")),
    ],
)
def test_stock_that_nobody_can_price_has_no_frame(question: str, columns: tuple[str, ...]) -> None:
    assert frame_of(question, TODAY, stocked(*columns)) is None


def stocked(*columns: str) -> ProjectSchema:
    names = columns or ("stock", "unit_cost", "list_price")
    made = tuple(Column(name, "double", Kind.NUMBER, Role.MEASURE) for name in names)
    table = Table("products", "products", "model.x.products", "", made, entity="product")
    return ProjectSchema("x", "duckdb", (table,))


def test_a_product_is_added_up_row_by_row() -> None:
    schema = shop_schema()
    plan = from_tokens("SUM PRODUCT c:orders.amount c:orders.refund END".split())
    assert plan is not None
    assert "sum(amount * refund)" in Binder(schema).sql(plan).lower().replace('"', "")
    wrong = from_tokens("SUM PRODUCT c:orders.amount c:products.price END".split())
    assert wrong is not None
    with pytest.raises(QueryPlanError, match="multiplied"):
        Binder(schema).sql(wrong)


_HAVING = "HAVING {} MINUS ONLY m:revenue {} ONLY m:revenue {} n:0"


@pytest.mark.parametrize(
    ("question", "core", "operator", "spans", "end"),
    [
        ("Which stores made less revenue in 2025 than in 2024?", "revenue by stores", "LT",
         (_NOW, _THEN), "END"),
        ("which stores had more revenue in 2024 than in 2025", "revenue by stores", "GT",
         (_THEN, _NOW), "END"),
        ("Which stores' revenue grew from 2024 to 2025?", "revenue by stores", "GT",
         (_NOW, _THEN), "END"),
        ("how many stores made less revenue in 2025 than in 2024", "revenue by stores", "LT",
         (_NOW, _THEN), "COUNTED END"),
        ("products that sold fewer units this year than in the same period last year",
         "units sold by products", "LT",
         ("d:2026-01-01/2026-07-01", "d:2025-01-01/2025-07-01"), "END"),
        ("customers who ordered less in 2025 than the year before", "orders by customers", "LT",
         (_NOW, _THEN), "END"),
    ],
)  # fmt: skip
def test_groups_are_picked_by_how_they_changed(
    question: str, core: str, operator: str, spans: tuple[str, str], end: str
) -> None:
    frame = frame_of(question, TODAY)
    assert frame is not None
    assert frame.core == core
    inside = from_tokens("c:stores.name m:revenue WHERE c:stores.is_open END".split())
    assert inside is not None
    made = frame.around(inside)
    assert made is not None
    wanted = f"c:stores.name WHERE c:stores.is_open {_HAVING.format(operator, *spans)} {end}"
    assert " ".join(to_tokens(made)) == wanted
    for other in ("m:revenue END", f"c:stores.name m:revenue WHERE {_NOW} END"):
        plan = from_tokens(other.split())
        assert plan is not None
        assert frame.around(plan) is None


def test_how_much_more_is_a_difference() -> None:
    question = "How much more revenue did we make last month than in the same month last year?"
    frame = frame_of(question, TODAY)
    assert frame is not None
    assert frame.core == "revenue in last month"
    inside = from_tokens("m:revenue WHERE d:2026-05-01/2026-06-01 END".split())
    assert inside is not None
    made = frame.around(inside)
    assert made is not None
    spans = ("d:2026-05-01/2026-06-01", "d:2025-05-01/2025-06-01")
    wanted = "SUB ONLY m:revenue {} ONLY m:revenue {} END".format(*spans)
    assert " ".join(to_tokens(made)) == wanted


def test_what_sold_nothing_sold_less() -> None:
    plan = from_tokens(f"c:stores.city {_HAVING.format('LT', _NOW, _THEN)} END".split())
    assert plan is not None
    sql = Binder(shop_schema()).sql(plan)
    assert sql.lower().count("coalesce(") == 2
