"""Statements are told from questions, also from questions about selecting and dropping."""

from __future__ import annotations

import pytest

from dbt_t2s.serve.statements import is_statement


@pytest.mark.parametrize(
    "text",
    [
        "'; drop table orders; --",
        "1 union select name from customers",
        "how many orders; delete from orders",
        "Robert'); DROP TABLE students;",
        "select * from orders",
        "SELECT count(*) FROM orders WHERE id > 3",
        "x' or '1'='1",
    ],
)
def test_a_statement_is_seen(text: str) -> None:
    assert is_statement(text)


@pytest.mark.parametrize(
    "text",
    [
        "how many orders were there; and per country?",
        "which customers selected express delivery from us?",
        "select the top five products by revenue from last year",
        "did sales drop in May?",
        "which customers' orders were cancelled or returned?",
        "orders with status = 'open'",
        "deleted accounts from Germany",
        "show me the customers where lifetime revenue is over 100",
    ],
)
def test_a_question_is_no_statement(text: str) -> None:
    assert not is_statement(text)
