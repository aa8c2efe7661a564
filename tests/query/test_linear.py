"""Plans as tokens and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.query.linear import KEYWORDS, REFUSAL, from_tokens, has_aggregate, to_tokens
from dbt_t2s.query.plan import (
    AGGREGATES,
    ARITHMETIC,
    COMPARISONS,
    DAYS_OF_WEEK,
    GRAINS,
    PARTS,
    ROLLING,
    WEEKEND,
    WRAPPERS,
    Agg,
    Arithmetic,
    AvgEach,
    Bucket,
    Col,
    Compare,
    Count,
    Dim,
    During,
    Flag,
    Has,
    Like,
    Measure,
    MetricRef,
    Not,
    Null,
    Or,
    Order,
    Overall,
    Plan,
    Pred,
    Range,
    Rate,
    Rolling,
    RuleRef,
    Time,
    Value,
    Weekdays,
    Wrapped,
)

# Names without the signs that part an item's table, column and value.
_NAMES = st.text(st.characters(codec="utf-8", exclude_characters=".="), min_size=1, max_size=8)
_TEXTS = st.text(min_size=1, max_size=12)
_COLUMNS = st.builds(Col, _NAMES, _NAMES)
_TIMES = st.one_of(_COLUMNS, st.builds(Time))
_NUMBERS = st.decimals(0, 10**6, places=2).map(str)
_DAYS = st.one_of(st.just(""), st.dates().map(str))
_RANGES = st.builds(Range, _DAYS, _DAYS)
_DIMS: st.SearchStrategy[Dim] = st.one_of(
    _COLUMNS, st.builds(Bucket, st.sampled_from((*GRAINS, *PARTS, WEEKEND)), _TIMES)
)
_MEASURES: st.SearchStrategy[Measure] = st.deferred(
    lambda: st.one_of(
        st.builds(Agg, st.sampled_from(AGGREGATES), _COLUMNS),
        st.builds(
            Rolling, st.sampled_from(sorted(ROLLING)), st.integers(2, 12).map(str), _MEASURES
        ),
        st.builds(Count, _NAMES),
        st.builds(MetricRef, _NAMES),
        st.builds(Wrapped, st.sampled_from(WRAPPERS), _MEASURES),
        st.builds(Arithmetic, st.sampled_from(sorted(ARITHMETIC)), _MEASURES, _MEASURES),
        st.builds(Rate, _PREDS),
        st.builds(AvgEach, _MEASURES, _DIMS),
    )
)
_PREDS: st.SearchStrategy[Pred] = st.deferred(
    lambda: st.one_of(
        st.builds(Value, _NAMES, _NAMES, _TEXTS),
        st.builds(During, _TIMES, _RANGES),
        st.builds(RuleRef, _NAMES),
        st.builds(Flag, _COLUMNS),
        st.builds(Not, _PREDS),
        st.builds(Or, _PREDS, _PREDS),
        st.builds(
            Compare,
            st.sampled_from(sorted(COMPARISONS)),
            st.one_of(_MEASURES, _COLUMNS),
            st.one_of(st.none(), st.just(Overall()), _NUMBERS),
        ),
        st.builds(Null, _COLUMNS),
        st.builds(
            Weekdays,
            _TIMES,
            st.lists(st.sampled_from(DAYS_OF_WEEK), min_size=1, max_size=3).map(tuple),
        ),
        st.builds(Has, _NAMES, st.lists(_PREDS, max_size=2).map(tuple)),
        st.builds(Like, _COLUMNS, _TEXTS),
    )
)
_EXPRS = st.one_of(_DIMS, _MEASURES)
_PLANS = st.builds(
    Plan,
    select=st.lists(_EXPRS, min_size=1, max_size=3).map(tuple),
    where=st.lists(_PREDS, max_size=2).map(tuple),
    having=st.lists(_PREDS, max_size=2).map(tuple),
    order=st.one_of(st.none(), st.builds(Order, _EXPRS, st.booleans())),
    limit=st.one_of(st.none(), st.integers(1, 50).map(str)),
    per=st.one_of(st.none(), _DIMS),
    distinct=st.booleans(),
    skip=st.one_of(st.none(), st.integers(1, 50).map(str)),
    of_total=st.booleans(),
)
_TOKENS = st.lists(
    st.one_of(
        st.sampled_from((*KEYWORDS, *ROLLING, WEEKEND, "WEEKDAYS", "SKIP", "OF_TOTAL")),
        st.sampled_from(["t:a", "c:a.b", "m:x", "r:x", "v:a.b=c", "n:5", "d:/", "s:x", "c:", "?"]),
    ),
    max_size=20,
)


@given(_PLANS)
def test_a_plan_comes_back_from_its_tokens(plan: Plan) -> None:
    assert from_tokens(to_tokens(plan)) == plan


@given(_TOKENS)
def test_tokens_spell_a_plan_or_are_refused_by_name(tokens: list[str]) -> None:
    try:
        plan = from_tokens(tokens)
    except QueryPlanError:
        return
    assert plan is None or from_tokens(to_tokens(plan)) == plan


@given(_PLANS, st.data())
def test_a_plan_that_breaks_off_is_refused_by_name(plan: Plan, data: st.DataObject) -> None:
    tokens = to_tokens(plan)
    cut = data.draw(st.integers(0, len(tokens) - 1))
    with pytest.raises(QueryPlanError):
        from_tokens(tokens[:cut])


@pytest.mark.parametrize(
    "tokens",
    [
        "",
        "END",
        "START END",
        "c:a.b",
        "c:a.b END END",
        "DISTINCT END",
        "COUNT c:a.b END",
        "COUNT t:a LIMIT END",
        "COUNT t:a LIMIT ONE PER m:x END",
        "COUNT t:a WHERE HAS t:b END",
        "COUNT t:a WHERE GT COUNT t:b t:c END",
        "COUNT t:a WHERE d: END",
        "COUNT t:a CLOSE END",
        "CHANGE END",
        "REFUSE",
        "REFUSE c:a.b END",
        "COUNT t:a WHERE " + "NOT " * 400 + "c:a.b END",
    ],
)
def test_broken_plans_say_so(tokens: str) -> None:
    with pytest.raises(QueryPlanError):
        from_tokens(tokens.split())


def test_a_refusal_is_no_plan() -> None:
    assert from_tokens(REFUSAL) is None


def test_the_linear_form_is_short() -> None:
    plan = Plan(
        (Col("customers", "country"), MetricRef("revenue")),
        where=(Value("orders", "status", "a=b.c"), During(Time(), Range("2025-01-01", ""))),
        order=Order(MetricRef("revenue"), descending=True),
        limit="1",
    )
    assert " ".join(to_tokens(plan)) == (
        "c:customers.country m:revenue WHERE v:orders.status=a=b.c d:2025-01-01/ "
        "DESC m:revenue LIMIT ONE END"
    )


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("c:a.b END", False),
        ("c:a.b COUNT t:a END", True),
        ("c:a.b DESC c:a.c END", False),
        ("c:a.b DESC COUNT t:a END", True),
        ("c:a.b HAVING GT COUNT t:a n:2 END", True),
    ],
)
def test_which_plans_aggregate(text: str, grouped: bool) -> None:
    plan = from_tokens(text.split())
    assert plan is not None and has_aggregate(plan) is grouped
