"""One way to write a plan: dimensions first, conditions in the order of their sorts."""

from __future__ import annotations

from dbt_t2s.query.linear import from_tokens, to_tokens
from dbt_t2s.query.plan import canonical


def written(text: str) -> str:
    plan = from_tokens(tuple(text.split()))
    assert plan is not None
    return " ".join(to_tokens(canonical(plan)))


def test_dimensions_come_before_measures_each_in_their_own_order() -> None:
    given = "COUNT t:orders c:stores.city m:revenue MONTH TIME END"
    assert written(given) == "c:stores.city MONTH TIME COUNT t:orders m:revenue END"


def test_conditions_stand_in_the_order_of_their_sorts() -> None:
    given = (
        "c:o.id WHERE d:2026-01-01/ NULL c:o.paid_on GT c:o.price n:5 r:big v:o.status=open "
        "NOT v:o.kind=gift END"
    )
    assert written(given) == (
        "c:o.id WHERE v:o.status=open NOT v:o.kind=gift r:big NULL c:o.paid_on "
        "GT c:o.price n:5 d:2026-01-01/ END"
    )


def test_what_is_canonical_stays_so() -> None:
    given = "c:o.city m:revenue WHERE v:o.status=open d:2026-01-01/ DESC m:revenue LIMIT n:3 END"
    assert written(given) == given
