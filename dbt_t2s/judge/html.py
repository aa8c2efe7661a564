"""report.html: one page that explains a validation to a person, with nothing to load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from dbt_t2s.judge.baseline import Baseline, Change, Comparison
from dbt_t2s.judge.cards import card, document, figure, fold
from dbt_t2s.judge.lines import is_dear
from dbt_t2s.judge.outcomes import (
    Outcome,
    SuiteReport,
    by_cause,
    latencies,
    refused,
    shares_by_metric,
    shares_by_model,
    shares_by_phase,
    shares_by_type,
)
from dbt_t2s.judge.page import SCRIPT
from dbt_t2s.judge.plots import (
    count_bars,
    histogram,
    milliseconds,
    risk_coverage,
    share_bar,
    share_bars,
)
from dbt_t2s.judge.report import Report
from dbt_t2s.judge.share import Share
from dbt_t2s.judge.wrong_answers import wrong_answers

_TITLES = {
    "business": "Business test set",
    "saved_queries": "Saved queries",
    "metrics": "Metrics, against MetricFlow",
    "generated": "Generated questions, held out",
    "expected_rows": "Generated questions, on the rows that unit tests expect",
}


def to_html(report: Report) -> str:
    """The whole page."""
    title = f"{report.project or 'dbt-t2s'}: execution accuracy"
    body = "".join(
        (_head(report), _headline(report), _suites(report), _plots(report), _details(report))
    )
    return document(title, body + wrong_answers(report), script=SCRIPT)


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
    partial = ""
    if report.partial:
        partial = f'<p class="banner">Not all was judged. {escape(report.partial)}</p>\n'
    return (
        f"<header>\n<h1>{escape(report.project or 'dbt-t2s')}</h1>\n"
        f'<div class="meta soft">{shown}</div>\n{partial}</header>\n'
    )


def _headline(report: Report) -> str:
    """The first test set in large figures: what a person wants to know before all else."""
    suite = report.suites[0]
    cards = [_accuracy(suite), _refusals(suite), _latency(suite)]
    if report.comparison is not None and report.baseline is not None:
        cards.append(_against(report.comparison, report.baseline))
    title = escape(_TITLES.get(suite.name, suite.name))
    return f'<section>\n<h2>{title}</h2>\n<div class="hero">\n{"".join(cards)}</div>\n</section>\n'


def _accuracy(suite: SuiteReport) -> str:
    share = suite.ex
    value, interval = share.value, share.interval
    if value is None or interval is None:
        return card("Execution accuracy", "<p>No answerable question was asked.</p>")
    low, high = (f"{each * 100:.1f}" for each in interval)
    instances = f"{suite.instances} warehouse instance{'s' if suite.instances != 1 else ''}"
    label = f"{value:.1%}, interval {low} to {high}%"
    return card(
        "Right answers",
        f'<p class="big">{value * 100:.1f}<span>%</span></p>\n'
        f'<div class="scale">{share_bar(share, 12, label)}</div>\n'
        f"<p>{share.correct} of {share.n} questions give the right rows on {instances}.</p>\n"
        f'<p class="soft">95% interval: {low} to {high}%.</p>\n',
        "wide",
    )


def _refusals(suite: SuiteReport) -> str:
    rightly = "–"
    if suite.unanswerable:
        rightly = f"{refused(suite.unanswerable)} of {len(suite.unanswerable)}"
    wrongly = f"{refused(suite.answerable)} of {len(suite.answerable)}"
    return card(
        "Refusals",
        f"{figure(rightly, 'questions without an answer were refused')}"
        f"{figure(wrongly, 'questions with an answer were refused')}",
    )


def _latency(suite: SuiteReport) -> str:
    return card(
        "Time to an answer",
        f"{figure(milliseconds(suite.latency_ms(0.5)), 'median')}"
        f"{figure(milliseconds(suite.latency_ms(0.95)), '95th percentile')}",
    )


def _against(found: Comparison, baseline: Baseline) -> str:
    change = 100 * ((found.now.value or 0.0) - (found.before.value or 0.0))
    when = baseline.created_at.replace("T", " ")[:16]
    return card(
        "Against the last model",
        f"{figure(f'{change:+.1f} points', f'on {found.now.n} shared questions')}"
        f"{figure(f'{len(found.gains)} / {len(found.regressions)}', 'gained / lost')}"
        f'<p class="soft">{escape(baseline.model)} {escape(when)}</p>\n',
    )


def _suites(report: Report) -> str:
    """All test sets, one a line."""
    if len(report.suites) == 1:
        return ""
    pairs = [
        (_TITLES.get(suite.name, suite.name), suite.ex) for suite in report.suites if suite.ex.n
    ]
    bars = card("Right answers", share_bars(pairs))
    return f"<section>\n<h2>All test sets</h2>\n{bars}</section>\n"


def _plots(report: Report) -> str:
    outcomes = report.outcomes
    cards = [
        card(
            "By query type",
            share_bars(shares_by_type(outcomes)) + '<p class="soft key">Bars show right answers,'
            " lines the 95% interval: few questions make a long line.</p>\n",
        ),
        card("Wrong answers by cause", _cause_plot(outcomes)),
    ]
    if report.calibration.curve:
        cards.append(card("Wrong among the given answers", _calibration(report)))
    if times := latencies(outcomes):
        note = f"Lines: half of the answers, and 95% of them ({milliseconds(max(times))} at most)."
        cards.append(
            card("Time to an answer", f'{histogram(times)}<p class="soft key">{note}</p>\n')
        )
    return (
        f'<section>\n<h2>In detail</h2>\n<div class="grid">\n{"".join(cards)}</div>\n</section>\n'
    )


def _cause_plot(outcomes: Sequence[Outcome]) -> str:
    counts = [(cause, len(group)) for cause, group in by_cause(outcomes)]
    return count_bars(counts) if counts else "<p>None.</p>\n"


def _calibration(report: Report) -> str:
    found = report.calibration
    setting, does = found.advice
    note = f"<code>{setting}</code> {does}." if setting else f"{does.capitalize()}."
    return f'{risk_coverage(found)}<p class="soft key">{note}</p>\n'


def _details(report: Report) -> str:
    outcomes = report.outcomes
    folds = []
    if report.comparison is not None:
        found = report.comparison
        folds += [_changed("Lost since the last model", found.regressions)]
        folds += [_changed("Gained since the last model", found.gains)]
    folds += [
        _shared("By dbt node", shares_by_model(outcomes)),
        _shared("By metric", shares_by_metric(outcomes)),
        _shared("By phase of the curriculum", shares_by_phase(outcomes)),
        _counted("House style", (line for each in outcomes for line in each.style)),
        _counted("Rules left out", (line for each in outcomes for line in each.broken_rules)),
        _dear(outcomes),
    ]
    folds += [
        fold(f"Issues: {_TITLES.get(suite.name, suite.name)}", _issues(suite), len(suite.issues))
        for suite in report.suites
    ]
    folds += [
        fold(each.name.replace("_", " ").capitalize(), _plain(each.lines), len(each.lines))
        for each in report.sections
    ]
    return f"<section>\n{''.join(folds)}</section>\n"


def _changed(title: str, changes: Sequence[Change]) -> str:
    lines = "".join(
        f"<li>{escape(each.now.item.question)}"
        f' <span class="cause">{escape(each.now.cause or each.before.cause)}</span></li>'
        for each in changes
    )
    return fold(title, f"<ul>{lines}</ul>\n", len(changes))


def _shared(title: str, shares: Sequence[tuple[str, Share]]) -> str:
    return fold(title, share_bars(shares), len(shares))


def _counted(title: str, lines: Iterable[str]) -> str:
    counts = Counter(lines)
    shown = "".join(
        f"<li>{escape(line)} <small>{count}</small></li>" for line, count in counts.most_common()
    )
    return fold(title, f"<ul>{shown}</ul>\n", counts.total())


def _dear(outcomes: Sequence[Outcome]) -> str:
    found = [each for each in outcomes if is_dear(each)]
    lines = "".join(
        f"<li>{escape(each.item.question)} <small>{each.cost.rows:,} rows in the plan,"
        f" {each.gold_cost.rows:,} expected</small></li>"
        for each in found
        if each.cost is not None and each.gold_cost is not None
    )
    return fold("Right, but at over twice the cost", f"<ul>{lines}</ul>\n", len(found))


def _issues(suite: SuiteReport) -> str:
    lines = "".join(
        f"<li>{escape(each.where)}: {escape(each.message)}</li>" for each in suite.issues
    )
    return f"<ul>{lines}</ul>\n"


def _plain(lines: Sequence[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>\n"
