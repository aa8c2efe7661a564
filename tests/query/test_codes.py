"""Codes by their shape: which columns have any, and where a question says one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.codes import Codes
from tests.query.shop import shop_schema


def with_format(shape: str) -> ProjectSchema:
    """The shop with that shape of its customers' names."""
    schema = shop_schema()
    table = schema.table("customers")
    columns = tuple(
        replace(c, format=shape) if c.name == "customer_name" else c for c in table.columns
    )
    tables = (replace(table, columns=columns) if t is table else t for t in schema.tables)
    return replace(schema, tables=tuple(tables))


@pytest.mark.parametrize(
    ("shape", "question", "value"),
    [
        ("A9-999", "who is in unit R4-010?", "R4-010"),
        ("A9-999", "who is in unit r4-010?", "R4-010"),
        ("AA+-9+", "status of TK-1042, please", "TK-1042"),
        ("aaa_99999", "orders of ord_00012", "ord_00012"),
        ("AAA99999", "INV00123", "INV00123"),
    ],
)
def test_a_code_is_known_by_its_shape(shape: str, question: str, value: str) -> None:
    (code,) = Codes(with_format(shape)).said(question)
    assert code.tokens == (f"v:customers.customer_name={value}",)
    assert question[code.start : code.end].lower() == value.lower()


@pytest.mark.parametrize(
    ("shape", "question"),
    [
        ("A9-999", "unit R4-0100 or XR4-010 or R4-010-7"),
        ("a+ 99", "lessons taught in the last 30 days"),
        ("a+99", "lessons taught in the last30 days"),
        ("AAA", "what is the ROI"),
        ("9999-99", "orders of 2026-05"),
        ("email", "orders of anna@example.com"),
        ("phone", "who has +44 20 7946 0000"),
    ],
)
def test_what_is_no_code_names_nothing(shape: str, question: str) -> None:
    assert not list(Codes(with_format(shape)).said(question))
