"""report.html: one page that explains a validation to a person, with nothing to load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from dbt_t2s import sql as language
from dbt_t2s.judge.report import Report
from dbt_t2s.judge.share import Share
from dbt_t2s.judge.style import CSS, SCRIPT
from dbt_t2s.judge.validate import Outcome, SuiteReport

_TITLES = {
    "business": "Business test set",
    "holdout": "Held-out questions",
    "metrics": "Metric questions",
}


def to_html(report: Report) -> str:
    """The whole page."""
    title = f"{report.project or 'dbt-t2s'}: execution accuracy"
    body = "".join((_head(report), *(_suite(suite) for suite in report.suites), _wrong(report)))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _head(report: Report) -> str:
    facts = (
        ("model", report.model),
        ("schema", report.schema[:12]),
        ("dialect", report.dialect),
        ("validated", report.created_at.replace("T", " ")[:16]),
    )
    shown = "".join(
        f"<span>{escape(name)} {escape(value)}</span>" for name, value in facts if value
    )
    return (
        f"<header>\n<h1>{escape(report.project or 'dbt-t2s')}</h1>\n"
        f'<div class="meta soft">{shown}</div>\n</header>\n'
    )


def _suite(suite: SuiteReport) -> str:
    title = _TITLES.get(suite.name, suite.name)
    return (
        f'<section>\n<h2>{escape(title)}</h2>\n<div class="grid">\n'
        f'<div class="stack">\n{_headline(suite)}{_refusals(suite)}{_latency(suite)}</div>\n'
        f'<div class="stack">\n{_types(suite)}{_issues(suite)}</div>\n</div>\n</section>\n'
    )


def _headline(suite: SuiteReport) -> str:
    share = suite.ex
    value, interval = share.value, share.interval
    if value is None or interval is None:
        return _card("Execution accuracy", "<p>No answerable question was asked.</p>")
    low, high = (f"{each * 100:.1f}" for each in interval)
    instances = f"{suite.instances} warehouse instance{'s' if suite.instances != 1 else ''}"
    return _card(
        "Execution accuracy",
        f'<p class="big">{value * 100:.1f}<span>%</span></p>\n'
        f'<div class="scale">{_bar(share, 12, f"{value:.1%}, interval {low} to {high}%")}</div>\n'
        f"<p>95% interval {low}–{high}%</p>\n"
        f'<p class="soft">{share.correct} of {share.n} questions give the right rows on'
        f" {instances}.</p>\n",
    )


def _refusals(suite: SuiteReport) -> str:
    refused = sum(each.prediction.status == "refused" for each in suite.unanswerable)
    wrongly = sum(each.prediction.status == "refused" for each in suite.answerable)
    rightly = f"{refused} of {len(suite.unanswerable)}" if suite.unanswerable else "–"
    return _card(
        "Refusals",
        '<div class="pair">\n'
        f"<div><b>{rightly}</b><small>questions without an answer were refused</small></div>\n"
        f"<div><b>{wrongly} of {len(suite.answerable)}</b>"
        "<small>questions with an answer were refused</small></div>\n</div>\n",
    )


def _latency(suite: SuiteReport) -> str:
    return _card(
        "Time to an answer",
        '<div class="pair">\n'
        f"<div><b>{_milliseconds(suite.latency_ms(0.5))}</b><small>median</small></div>\n"
        f"<div><b>{_milliseconds(suite.latency_ms(0.95))}</b>"
        "<small>95th percentile</small></div>\n</div>\n",
    )


def _types(suite: SuiteReport) -> str:
    lines = "".join(_type_row(name, share) for name, share in suite.by_type)
    anchors = {0: "start", 100: "end"}
    axis = "".join(
        f'<text x="{at}%" y="12" text-anchor="{anchors.get(at, "middle")}">{at}%</text>'
        for at in (0, 25, 50, 75, 100)
    )
    return _card(
        "By query type",
        f'<div class="types">\n{lines}<span></span>'
        f'<svg class="axis" height="16" aria-hidden="true">{axis}</svg><span></span>\n'
        '</div>\n<p class="soft key">Bars show correct answers, lines the 95% interval:'
        " few questions make a long line.</p>\n",
    )


def _type_row(name: str, share: Share) -> str:
    value = share.value or 0.0
    label = f"{name}: {share.correct} of {share.n} correct"
    return (
        f'<div class="type"><span class="name">{escape(name)}</span>'
        f'<div class="plot">{_bar(share, 16, label)}</div>'
        f'<span class="figure">{value:.0%} <small>{share.correct}/{share.n}</small></span></div>\n'
    )


def _bar(share: Share, height: int, label: str) -> str:
    """Lengths in percent, so that the drawing fits any width without scaling its lines."""
    value, interval = share.value or 0.0, share.interval or (0.0, 0.0)
    middle = height / 2
    low, high = (f"{each * 100:.2f}%" for each in interval)
    ends = "".join(
        f'<line class="whisker" x1="{at}" x2="{at}" y1="{middle - 4}" y2="{middle + 4}"/>'
        for at in (low, high)
    )
    return (
        f'<svg height="{height}" role="img" aria-label="{escape(label)}">'
        f'<rect class="track" width="100%" height="{height}" rx="4"/>'
        f'<rect class="bar" width="{value * 100:.2f}%" height="{height}" rx="4"/>'
        f'<line class="whisker" x1="{low}" x2="{high}" y1="{middle}" y2="{middle}"/>{ends}</svg>'
    )


def _issues(suite: SuiteReport) -> str:
    if not suite.issues:
        return ""
    lines = "".join(
        f"<li>{escape(each.where)}: {escape(each.message)}</li>" for each in suite.issues
    )
    return _card("Issues of the test set", f'<ul class="issues soft">{lines}</ul>\n')


def _wrong(report: Report) -> str:
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
        "<section>\n<h2>Wrong answers</h2>\n"
        '<div class="filters">\n<input type="search" data-filter="text"'
        ' placeholder="Search questions and SQL" aria-label="Search questions and SQL">\n'
        f'{choices}<small id="shown">{len(wrong)} of {len(wrong)}</small>\n</div>\n'
        '<div class="card">\n<table>\n<thead><tr><th>Question</th><th>Expected</th>'
        f"<th>Given</th><th>Cause</th></tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n"
        "</div>\n</section>\n"
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
    note = f'<p class="soft">{escape(outcome.detail)}</p>' if outcome.detail else ""
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


def _card(title: str, content: str) -> str:
    return f'<div class="card">\n<h3>{escape(title)}</h3>\n{content}</div>\n'


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"
