"""A validation's results as Markdown for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dbt_t2s.judge.baseline import Change, Comparison
from dbt_t2s.judge.lines import percent
from dbt_t2s.judge.outcomes import Outcome, SuiteReport, by_cause, refused, shares_by_type
from dbt_t2s.judge.report import EXAMPLES, Report
from dbt_t2s.judge.share import Share

# A comment is read, not studied: this many changes are named.
_NAMED = 10


def to_markdown(report: Report) -> str:
    """Headline, test sets, what changed, then details that fold."""
    parts = [f"### {text(report.project or 'dbt-t2s')}: {_headline(report)}"]
    if report.partial:
        parts.append(f"> **Partial**: {text(report.partial)}")
    parts.append(_suites(report.suites))
    if report.comparison is not None:
        parts.append(_changes(report.comparison))
    parts.append(_threshold(report))
    parts.append(_folded("Accuracy by query type", _shares(shares_by_type(report.outcomes))))
    if any(not each.correct for each in report.outcomes):
        parts.append(_folded("Wrong answers by cause", _causes(report.outcomes)))
    parts += [
        _folded(section.name.replace("_", " ").capitalize(), _fenced("\n".join(section.lines)))
        for section in report.sections
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def text(value: str) -> str:
    """A text on one line that Markdown shows as it is, and that mentions nobody."""
    line = " ".join(value.split())
    escaped = re.sub(r"([\\`*_{}\[\]()<>#+|~!&])", r"\\\1", line)
    return escaped.replace("@", "@\u200b")


def _headline(report: Report) -> str:
    suite = report.suites[0]
    return f"execution accuracy {percent(suite.ex)}" if suite.ex.n else "nothing was judged"


def _suites(suites: Sequence[SuiteReport]) -> str:
    rows = [
        (
            text(suite.name),
            f"{suite.ex.correct} of {suite.ex.n}",
            percent(suite.ex),
            _refusals(suite),
            _milliseconds(suite.latency_ms(0.5)),
        )
        for suite in suites
    ]
    return _table(("Test set", "Right", "Accuracy", "Refused rightly / wrongly", "Latency"), rows)


def _refusals(suite: SuiteReport) -> str:
    rightly = f"{refused(suite.unanswerable)} of {len(suite.unanswerable)}"
    return f"{rightly} / {refused(suite.answerable)} of {len(suite.answerable)}"


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def _changes(found: Comparison) -> str:
    lead = (
        f"**Against the last model**: {found.now.value or 0:.1%} after"
        f" {found.before.value or 0:.1%} on {found.now.n} shared questions."
    )
    return "\n\n".join(
        part
        for part in (lead, _named("Lost", found.regressions), _named("Gained", found.gains))
        if part
    )


def _named(title: str, changes: Sequence[Change]) -> str:
    if not changes:
        return ""
    lines = [f"{title} ({len(changes)}):", ""]
    for each in changes[:_NAMED]:
        cause = each.now.cause or each.before.cause
        lines.append(f"- {text(each.now.item.question)} ({text(cause)})")
    if len(changes) > _NAMED:
        lines.append(f"- and {len(changes) - _NAMED} more")
    return "\n".join(lines)


def _threshold(report: Report) -> str:
    setting, does = report.calibration.advice
    return f"`{setting}` {does}." if setting else ""


def _shares(shares: Iterable[tuple[str, Share]]) -> str:
    rows = [(text(name), f"{share.correct} of {share.n}", percent(share)) for name, share in shares]
    return _table(("Type", "Right", "Accuracy"), rows)


def _causes(outcomes: Sequence[Outcome]) -> str:
    blocks = []
    for cause, group in by_cause(outcomes):
        lines = [f"**{text(cause)}**: {len(group)}", ""]
        lines += [f"- {text(each.item.question)}" for each in group[:EXAMPLES]]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _folded(title: str, content: str) -> str:
    return f"<details>\n<summary>{title}</summary>\n\n{content}\n\n</details>"


def _fenced(content: str) -> str:
    longest = max((len(found) for found in re.findall("`+", content)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{content}\n{fence}"
