"""A conversation over a trained project: commands, saving, feedback, and a real prompt."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from dbt_t2s.answers import Answerer
from dbt_t2s.console import Console
from dbt_t2s.conversation import HELP, Conversation
from dbt_t2s.errors import ServeError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.prompting import Prompt, asked_before
from dbt_t2s.serve.log import QuestionLog
from dbt_t2s.serve.saving import analysis
from tests.conftest import dbt
from tests.model.shop_schema import shop_schema

BY_MONTH = "how many orders were there by month in 2025?"


@pytest.fixture
def talk(answerer: Answerer) -> Conversation:
    console = Console(out=io.StringIO(), err=io.StringIO())
    workspace = replace(answerer.workspace, console=console)
    return Conversation(replace(answerer, workspace=workspace))


def said(talk: Conversation, *lines: str) -> str:
    """What the conversation prints on these lines, errors included."""
    console = talk._console
    pending: Iterator[str] = iter(lines)
    talk.hold(lambda: next(pending, None))
    assert isinstance(console.out, io.StringIO) and isinstance(console.err, io.StringIO)
    return console.out.getvalue() + console.err.getvalue()


def test_an_answer_has_sql_table_and_chart(talk: Conversation) -> None:
    shown = said(talk, BY_MONTH)
    assert "SELECT" in shown and "12 rows in" in shown
    assert sum("█" in line for line in shown.splitlines()) == 12


def test_commands_about_the_last_answer(talk: Conversation) -> None:
    shown = said(
        talk, "/sql", "/nope", "", "list all orders", "/more", "/more", "/explain", "/help"
    )
    assert "nothing was asked yet" in shown
    assert "there is no command /nope" in shown
    assert "rows up to 40 of 120" in shown and "rows up to 60 of 120" in shown
    assert "table orders: One row per order. (models/orders.sql)" in shown
    assert all(command in shown for command in HELP)
    assert said(talk, "/quit", BY_MONTH).count("12 rows in") == 0


def test_what_is_said_of_an_answer_is_kept(talk: Conversation) -> None:
    shown = said(talk, "how many open orders are there?", "/right", "/wrong drop table orders")
    assert "kept: right" in shown
    assert "only a SELECT may run" in shown
    root = talk._answerer.workspace.project.root
    assert QuestionLog(root).said()[0].question == "how many open orders are there?"
    silent = Conversation(replace(talk._answerer, keeper=None))
    assert "was not kept" in said(silent, "how many open orders are there?", "/wrong")


def test_an_answer_is_saved_as_an_analysis_that_dbt_reads(talk: Conversation) -> None:
    root = talk._answerer.workspace.project.root
    shown = said(talk, "/save x", "number of orders per country", "/save per_country")
    assert "nothing was asked yet" in shown
    assert "saved as analyses/per_country.sql" in shown
    text = (root / "analyses" / "per_country.sql").read_text()
    assert text.startswith("{# number of orders per country #}\n") and "{{ ref('" in text
    again = said(talk, "/save per_country", "/save ../up", "/save")
    assert again.count("there is an analysis per_country already") == 1
    assert again.count("is no name for an analysis") == 2
    project = shutil.copytree(root, root.parent / "compiled", dirs_exist_ok=True)
    dbt("compile", "--select", "per_country", cwd=project)
    compiled = next((project / "target" / "compiled").rglob("per_country.sql")).read_text()
    assert '"main"."orders"' in compiled and "{" not in compiled


def test_refs_name_packages_versions_and_keep_aliases() -> None:
    schema = shop_schema()
    customers, orders, products = schema.tables
    tables = (
        replace(customers, unique_id="model.other.customers"),
        replace(orders, unique_id="model.shop.orders.v2"),
        replace(products, unique_id="source.shop.erp.products"),
    )
    sql = (
        "select c.country, count(*) from shop.main.orders join shop.main.customers as c"
        " on orders.customer_id = c.customer_id join shop.main.products on true group by 1"
    )
    text = analysis("a #} {{ x", sql, replace(schema, tables=tables))
    assert text.startswith("{# a # } {{ x #}\n")
    assert "FROM {{ ref('orders', v=2) }} AS orders" in text
    assert "JOIN {{ ref('other', 'customers') }} AS c" in text
    assert "JOIN {{ source('erp', 'products') }} AS products" in text


@pytest.mark.parametrize("sql", ["select '{{ x }}' from shop.main.orders", "select ("])
def test_sql_that_dbt_would_read_otherwise_is_not_saved(sql: str) -> None:
    schema: ProjectSchema = shop_schema()
    with pytest.raises(ServeError, match="cannot be saved"):
        analysis("q", sql, schema)


def test_the_prompt_completes_remembers_and_ends(answerer: Answerer) -> None:
    answerer.ask("how many customers live in FR?")
    history = asked_before(answerer.workspace)
    assert history[-1] == "how many customers live in FR?"
    with create_pipe_input() as keys:
        prompt = Prompt(("revenue", "order status"), history, keys, DummyOutput())
        keys.send_text("by order st\t")
        threading.Timer(0.3, keys.send_text, ("\r",)).start()  # a name is looked for meanwhile
        assert prompt.read() == "by order status"
        keys.send_text("\x1b[A\x1b[A\r")  # up twice: before this one, the last question
        assert prompt.read() == "how many customers live in FR?"
        keys.send_text("half a ques\x03")
        assert prompt.read() == ""
        keys.send_text("\x04")
        assert prompt.read() is None
    silent = replace(answerer.workspace.settings, log="")
    assert asked_before(replace(answerer.workspace, settings=silent)) == ()
