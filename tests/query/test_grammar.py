"""What the grammar allows parses, binds and runs: random walks over a small shop."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.errors import QueryPlanError
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.grammar import Grammar, State
from dbt_t2s.query.items import Item, mention_item, schema_items
from dbt_t2s.query.linear import KEYWORDS, from_tokens, to_tokens
from tests.query.shop import shop_schema

_WALKS = 1500
_LONGEST = 120
SCHEMA = shop_schema(always=True)
BINDER = Binder(SCHEMA)
GRAMMAR = Grammar(SCHEMA, BINDER.graph)
_SPOKEN = (
    "n:5", "n:1", "n:0.5", "n:2024", "d:2025-01-01/2025-02-01", "d:/2025-03-01", "s:tent",
    "v:customers.country=DE", "v:customers.country=FR", "v:stores.city=York",
    "v:products.category=tents", "v:orders.status=cancelled", "v:orders.status=completed",
)  # fmt: skip
ITEMS: tuple[Item, ...] = (
    *schema_items(SCHEMA, BINDER),
    *(mention_item(token, SCHEMA) for token in _SPOKEN),
)
KNOWN = {item.token: item for item in ITEMS}


def walk(rng: Random) -> tuple[str, ...] | None:
    """One random sentence of the grammar; None where it comes to a dead end."""
    state = State()
    tokens: list[str] = []
    while not state.done:
        keywords = sorted(GRAMMAR.keywords(state) - {"REFUSE"})
        items = [i for i, fits in zip(ITEMS, GRAMMAR.items(state, ITEMS), strict=True) if fits]
        if len(tokens) > _LONGEST or not (keywords or items):
            return None
        ending = [k for k in keywords if k in ("END", "CLOSE")]
        if ending and rng.random() < 0.25:
            token = ending[0]
        elif items and (not keywords or rng.random() < 0.6):
            token = rng.choice(items).token
        else:
            token = rng.choice(keywords)
        tokens.append(token)
        if token in KEYWORDS:
            state = GRAMMAR.after_keyword(state, token)
        else:
            state = GRAMMAR.after_item(state, KNOWN[token])
    return tuple(tokens)


def allowed(text: str) -> bool:
    state = State()
    for token in text.split():
        if state.done:
            return False
        if token in KEYWORDS:
            if token not in GRAMMAR.keywords(state):
                return False
            state = GRAMMAR.after_keyword(state, token)
        else:
            item = KNOWN[token]
            if not next(GRAMMAR.items(state, (item,))):
                return False
            state = GRAMMAR.after_item(state, item)
    return state.done


def test_random_walks_parse_bind_and_run(execute: Execute) -> None:
    rng = Random(20260630)
    dead, unbound, failed, bound = 0, Counter[str](), [], 0
    for _ in range(_WALKS):
        tokens = walk(rng)
        if tokens is None:
            dead += 1
            continue
        plan = from_tokens(tokens)
        assert plan is not None
        assert from_tokens(to_tokens(plan)) == plan
        try:
            sql = BINDER.sql(plan)
        except QueryPlanError as error:
            unbound[f"{error.what} | {' '.join(tokens)}"] += 1
            continue
        bound += 1
        result = execute(sql)
        if isinstance(result, QueryError):
            failed.append(f"{' '.join(tokens)}\n{result.message}\n{sql}")
    print(f"{bound} bound, {dead} dead ends, {unbound.total()} unbound: {unbound.most_common(40)}")
    assert not failed, "\n\n".join(failed[:8])
    assert dead <= _WALKS * 0.04
    assert unbound.total() <= bound * 0.005, unbound.most_common(10)


@pytest.mark.parametrize(
    "text",
    [
        "m:revenue END",
        "c:customers.country m:revenue DESC m:revenue LIMIT ONE END",
        "MONTH TIME m:revenue CHANGE m:revenue END",
        "c:customers.country m:revenue HAVING GT m:revenue AVERAGE END",
        "c:products.category COUNT t:customers END",
        "c:stores.city c:customers.customer_name m:revenue DESC m:revenue LIMIT n:5 PER "
        "c:stores.city END",
        "c:customers.customer_name WHERE NOT HAS t:orders v:orders.status=cancelled CLOSE END",
        "c:customers.customer_name WHERE GE COUNT t:orders n:5 END",
        "AVG_EACH m:revenue MONTH TIME WHERE d:2025-01-01/2025-02-01 END",
        "RATE v:orders.status=cancelled END",
        "RATE NULL c:orders.store_id END",
        "m:cumulative_revenue MONTH TIME WHERE d:2025-01-01/2025-02-01 DESC m:cumulative_revenue "
        "END",
        "c:stores.city c:customers.customer_name DESC c:orders.amount LIMIT ONE END",
        "COUNT t:orders ONLY COUNT t:orders v:orders.status=cancelled END",
        "SUB ONLY m:revenue d:2025-01-01/2025-02-01 ONLY m:revenue d:/2025-03-01 END",
        "c:orders.order_id WHERE GT c:orders.paid_on c:orders.due_on END",
        "c:products.product_name WHERE GT c:products.price AVG_EACH c:products.category END",
        "AVG DIFF c:orders.paid_on c:orders.due_on END",
        "c:orders.order_id DIFF c:orders.amount c:orders.refund "
        "DESC DIFF c:orders.amount c:orders.refund LIMIT ONE END",
        "c:customers.customer_name WHERE GE ONLY COUNT t:orders d:2025-01-01/2025-02-01 n:5 END",
        "c:stores.store_name WHERE d:2025-01-01/2025-02-01 HAVING GT COUNT t:orders n:5 END",
        "REFUSE END",
    ],
)
def test_it_allows(text: str) -> None:
    assert allowed(text)


@pytest.mark.parametrize(
    "text",
    [
        "END",
        "c:stores.city c:stores.city END",
        "SUM c:orders.status END",
        "MONTH TIME END",
        "c:stores.city MONTH TIME END",
        "DISTINCT c:customers.country DESC c:customers.customer_name END",
        "c:products.category SHARE COUNT t:customers END",
        "SHARE MIN c:orders.ordered_at END",
        "c:orders.status SHARE AVG c:orders.amount END",
        "c:orders.status SHARE m:average_order_value END",
        "MONTH TIME RUNNING m:average_order_value END",
        "c:orders.status SHARE ONLY m:average_order_value c:orders.is_gift END",
        "c:products.product_name WHERE GT c:products.price AVG_EACH c:orders.status END",
        "c:products.product_name WHERE GT c:products.price AVG_EACH c:products.price END",
        "c:customers.country m:revenue HAVING GT m:revenue AVG_EACH c:customers.country END",
        "SUB MAX c:orders.ordered_at MIN c:orders.ordered_at END",
        "c:customers.country m:units HAVING GT m:units_per_order AVERAGE END",
        "c:customers.country m:units m:revenue DESC m:units LIMIT ONE PER c:customers.country END",
        "c:customers.country m:revenue DESC m:revenue LIMIT ONE PER c:stores.city END",
        "m:revenue DESC MONTH TIME END",
        "m:cumulative_revenue m:revenue END",
        "DOW TIME m:cumulative_revenue END",
        "RATE END",
        "m:revenue DESC m:revenue LIMIT n:5 END",  # one row has no order
        "MAX c:orders.amount ASC MAX c:orders.amount END",
    ],
)
def test_it_forbids(text: str) -> None:
    assert not allowed(text)
