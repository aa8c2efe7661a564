"""A validation's results for a terminal: short, and aligned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbt_t2s.judge.baseline import Comparison
from dbt_t2s.judge.calibration import Calibration
from dbt_t2s.judge.outcomes import (
    Outcome,
    SuiteReport,
    by_cause,
    refused,
    shares_by_metric,
    shares_by_model,
)
from dbt_t2s.judge.report import Report
from dbt_t2s.judge.share import Share

# A share of so few questions says little; the weakest of the others are shown.
_FEW, _WEAKEST = 3, 5
_ISSUES = 3
_WIDEST = 72


def to_lines(report: Report) -> tuple[str, ...]:
    """What a person wants to know first."""
    lines: list[str] = []
    if report.partial:
        lines += [f"PARTIAL: {report.partial}", ""]
    for suite in report.suites:
        lines += [*_suite_lines(suite), ""]
    lines += _weakest("dbt nodes", shares_by_model(report.outcomes))
    lines += _weakest("metrics", shares_by_metric(report.outcomes))
    lines += _calibration_lines(report.calibration)
    if report.comparison is not None:
        lines += ["", *_comparison_lines(report.comparison)]
    for section in report.sections:
        lines += ["", *section.lines]
    return tuple(lines[:-1] if lines and not lines[-1] else lines)


def percent(share: Share) -> str:
    """``83.3% (95%: 70.4–91.3%)``, or a dash where nothing was counted."""
    value, interval = share.value, share.interval
    if value is None or interval is None:
        return "–"
    return f"{value:.1%} (95%: {interval[0] * 100:.1f}–{interval[1]:.1%})"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their columns aligned: the first to the left, the others to the right."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _suite_lines(suite: SuiteReport) -> list[str]:
    lines = [
        f"{suite.name}: execution accuracy {percent(suite.ex)},"
        f" {suite.ex.correct} of {suite.ex.n} answerable questions"
        f" on {suite.instances} instance{'s' if suite.instances != 1 else ''}"
    ]
    if suite.unanswerable:
        lines.append(
            f"  refused rightly: {refused(suite.unanswerable)} of {len(suite.unanswerable)};"
            f" wrongly: {refused(suite.answerable)} of {len(suite.answerable)}"
        )
    middle, slow = suite.latency_ms(0.5), suite.latency_ms(0.95)
    if middle is not None and slow is not None:
        lines.append(f"  latency: {middle:.0f} ms median, {slow:.0f} ms at the 95th percentile")
    lines += _habits(suite.outcomes)
    if len(suite.by_type) > 1:
        lines += [f"  {line}" for line in share_table(suite.by_type)]
    lines += _causes(suite.outcomes)
    shown = suite.issues[:_ISSUES]
    lines += [f"  {each.level}: {each.where}: {short(each.message)}" for each in shown]
    if len(suite.issues) > len(shown):
        lines.append(f"  and {len(suite.issues) - len(shown)} more issues in the report")
    return lines


def share_table(shares: Iterable[tuple[str, Share]]) -> list[str]:
    """Name, right of all, accuracy and its interval, aligned."""
    rows = []
    for name, share in shares:
        low, high = share.interval or (0.0, 0.0)
        interval = f"{low * 100:.0f}–{high:.0%}"
        rows.append((name, f"{share.correct} of {share.n}", f"{share.value or 0:.1%}", interval))
    return table(rows)


def _habits(outcomes: Sequence[Outcome]) -> list[str]:
    """What the SQL does badly, right or wrong."""
    broken = sum(bool(each.broken_rules) for each in outcomes)
    styled = sum(bool(each.style) for each in outcomes)
    parts = []
    if broken:
        parts.append(f"{broken} leave out a rule that always holds")
    if styled:
        parts.append(f"{styled} break the house style")
    dear = [each for each in outcomes if is_dear(each)]
    if dear:
        parts.append(f"{len(dear)} cost over twice what the expected SQL does")
    return [f"  of the answers, {', '.join(parts)}"] if parts else []


def is_dear(outcome: Outcome) -> bool:
    """Whether a right answer's plan gives over twice the rows of the gold's."""
    cost, gold = outcome.cost, outcome.gold_cost
    return outcome.correct and cost is not None and gold is not None and cost.rows > 2 * gold.rows


def _causes(outcomes: Sequence[Outcome]) -> list[str]:
    """The wrong answers by cause, each with a question; the report has more of them."""
    rows = [(cause, str(len(group)), group[0]) for cause, group in by_cause(outcomes)]
    counts = table([(cause, count) for cause, count, _ in rows])
    return [
        f"  {line}  {short(each.item.question)}"
        for line, (_, _, each) in zip(counts, rows, strict=True)
    ]


def _weakest(title: str, shares: Iterable[tuple[str, Share]]) -> list[str]:
    told = [pair for pair in shares if pair[1].n >= _FEW and pair[1].correct < pair[1].n]
    told.sort(key=lambda pair: (pair[1].value or 0.0, pair[0]))
    if not told:
        return []
    return [f"weakest {title}:", *(f"  {line}" for line in share_table(told[:_WEAKEST])), ""]


def _calibration_lines(found: Calibration) -> list[str]:
    if not found.curve:
        return []
    setting, does = found.advice
    return [f"confidence: `{setting}` {does}" if setting else f"confidence: {does}"]


def _comparison_lines(found: Comparison) -> list[str]:
    lines = [
        f"against the last model: {found.now.value or 0:.1%} after {found.before.value or 0:.1%}"
        f" on {found.now.n} shared questions,"
        f" {len(found.gains)} gained, {len(found.regressions)} lost"
    ]
    shown = found.regressions[:_WEAKEST]
    lines += [f"  lost: {short(each.now.item.question)}  [{each.now.cause}]" for each in shown]
    if len(found.regressions) > len(shown):
        lines.append(f"  and {len(found.regressions) - len(shown)} more lost, in the report")
    return lines


def short(text: str) -> str:
    """A text on one line of a terminal, without what a terminal would obey."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
