"""The wrong answers of report.html: a table that can be searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from dbt_t2s import sql as language
from dbt_t2s.judge.outcomes import Outcome
from dbt_t2s.judge.report import Report


def wrong_answers(report: Report) -> str:
    """The section with every wrong answer beside what was expected."""
    wrong = [
        (suite.name, outcome)
        for suite in report.suites
        for outcome in suite.outcomes
        if not outcome.correct
    ]
    if not wrong:
        return '<section>\n<h2>Wrong answers</h2>\n<p class="card">None.</p>\n</section>\n'
    types = sorted({outcome.item.type for _, outcome in wrong})
    causes = sorted({outcome.cause for _, outcome in wrong})
    suites = sorted({name for name, _ in wrong})
    choices = _choice("type", "every type", types) + _choice("cause", "every cause", causes)
    if len(suites) > 1:
        choices += _choice("suite", "every test set", suites)
    lines = "".join(_wrong_row(name, outcome, report.dialect) for name, outcome in wrong)
    return (
        f'<section id="wrong">\n<details>\n<summary>Wrong answers <small>{len(wrong)}</small>'
        '</summary>\n<div class="filters">\n<input type="search" data-filter="text"'
        ' placeholder="Search questions and SQL" aria-label="Search questions and SQL">\n'
        f'{choices}<small id="shown">{len(wrong)} of {len(wrong)}</small>\n</div>\n'
        '<div class="card">\n<table>\n<thead><tr><th>Question</th><th>Expected</th>'
        f"<th>Given</th><th>Cause</th></tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n"
        "</div>\n</details>\n</section>\n"
    )


def _choice(name: str, every: str, values: Sequence[str]) -> str:
    options = "".join(f"<option>{escape(value)}</option>" for value in values)
    return (
        f'<select data-filter="{name}" aria-label="{name}">'
        f'<option value="">{every}</option>{options}</select>\n'
    )


def _wrong_row(suite: str, outcome: Outcome, dialect: str) -> str:
    item, prediction = outcome.item, outcome.prediction
    data = "".join(
        f' data-{name}="{escape(value)}"'
        for name, value in (("type", item.type), ("cause", outcome.cause), ("suite", suite))
    )
    expected = _code(item.golds, dialect) or '<p class="soft">a refusal</p>'
    given = _code([prediction.sql] if prediction.sql.strip() else [], dialect)
    if not given:
        given = f'<p class="soft">{escape(prediction.reason or "no SQL")}</p>'
    said = [outcome.detail, *(f"leaves out: {rule}" for rule in outcome.broken_rules)]
    note = "".join(f'<p class="soft">{escape(each)}</p>' for each in said if each)
    return (
        f"<tr{data}><td>{escape(item.question)}"
        f'<p class="soft">{escape(item.type)} · {escape(item.id)}</p></td>'
        f'<td data-name="Expected">{expected}</td><td data-name="Given">{given}</td>'
        f'<td><span class="cause">{escape(outcome.cause)}</span>{note}</td></tr>\n'
    )


def _code(statements: Iterable[str], dialect: str) -> str:
    return "".join(f"<pre>{escape(_pretty(each, dialect))}</pre>" for each in statements)


def _pretty(sql: str, dialect: str) -> str:
    try:
        return language.format_sql(sql, dialect)
    except language.SqlError:
        return sql
