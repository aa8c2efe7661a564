"""What is in stock is worth its number times its cost: "stock value at cost by category".

The network knows the number; no plan of it multiplies columns.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Table
from dbt_t2s.query.frames.frame import Frame, the_measure, tidy
from dbt_t2s.query.plan import Agg, Col, Plan, Product
from dbt_t2s.query.text import name_words, words

_STOCK = re.compile(r"\b(?:stock|inventory)\b", re.IGNORECASE)
_WORTH = re.compile(r"\b(?:values?|valued|valuation|worth)\b", re.IGNORECASE)
_BY = re.compile(
    r"\b(?:by|per|for\s+each|in\s+each|split\s+by|broken\s+down\s+by)\s+(?P<what>[^?]+?)"
    r"(?P<after>\s+(?:at|in)\s+[^?]+)?\s*[?.]?$",
    re.IGNORECASE,
)
_COSTS = frozenset(("cost", "costs"))
_PRICES = frozenset(("price", "prices", "retail", "list", "selling"))
# All that such a question says beside what it is split by.
_SAID = _COSTS | _PRICES | frozenset(
    "stock inventory value values valued valuation worth what's what is are the our we have of in "
    "at on hand total altogether overall now today today's current currently unit purchase "
    "warehouse store room shelf shelves all how much money tied up whole as their its and it do "
    "does to eur euro euros usd gbp pounds dollars gross net held holding goods products".split()
)  # fmt: skip


def stock_value(text: str, schema: ProjectSchema) -> Frame | None:
    """The sum of pieces in stock times cost or price; None where other words limit it, and where
    a metric or a column says it already."""
    if not (_STOCK.search(text) and _WORTH.search(text)):
        return None
    grouped = _BY.search(text)
    told = text[: grouped.start()] + (grouped["after"] or "") if grouped else text
    spoken = [word.text.lower() for word in words(told)]
    if not _SAID.issuperset(spoken):
        return None
    priced = _PRICES if _PRICES & set(spoken) else _COSTS
    found = [pair for table in schema.tables if (pair := _priced_stock(table, priced))]
    if len(found) != 1 or _is_known(schema):
        return None
    stock, price = found[0]
    core = f"total {' '.join(name_words(stock.column))}"
    core += f" by {tidy(grouped['what'])}" if grouped else ""
    return Frame(core, partial(_around, stock=stock, price=price), surely=True)


def _priced_stock(table: Table, priced: frozenset[str]) -> tuple[Col, Col] | None:
    """The one column that counts what is in stock, and the one that says what a piece costs."""
    stocks = _called(table, frozenset(("stock", "inventory")))
    prices = [c for c in _called(table, priced & {"cost", "price"}) if c not in stocks]
    if len(stocks) != 1 or len(prices) != 1:
        return None
    return Col(table.name, stocks[0].name), Col(table.name, prices[0].name)


def _called(table: Table, names: frozenset[str]) -> list[Column]:
    return [
        column
        for column in table.columns
        if column.kind is Kind.NUMBER and names & set(name_words(column.name))
    ]


def _is_known(schema: ProjectSchema) -> bool:
    """Whether the project itself says what its stock is worth."""
    names = [metric.name for metric in schema.metrics]
    names += [column.name for table in schema.tables for column in table.columns]
    told = (frozenset(name_words(name)) for name in names)
    return any(each & {"stock", "inventory"} and each & {"value", "worth"} for each in told)


def _around(plan: Plan, stock: Col, price: Col) -> Plan | None:
    """The plan that adds up what is in stock, at its cost."""
    if the_measure(plan) != Agg("SUM", stock) or plan.having or plan.limit or plan.per:
        return None
    worth = Agg("SUM", Product(stock, price))
    select = tuple(worth if isinstance(e, Agg) else e for e in plan.select)
    return replace(plan, select=select, order=None)
