"""A report on the use of a model for a terminal: short, and aligned."""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s.judge.lines import percent, share_table, short, table
from dbt_t2s.judge.plots import milliseconds
from dbt_t2s.serve.drift import Drift, Unlike
from dbt_t2s.serve.figures import Figures, Times, Version
from dbt_t2s.serve.unanswered import Unanswered
from dbt_t2s.serve.usage import Correction, Usage

_PERIODS, _GROUPS, _UNLIKE, _CORRECTED = 14, 8, 6, 5


def to_lines(found: Usage) -> tuple[str, ...]:
    """What a person wants to know first; the page and the JSON say more."""
    parts = (
        _headline(found),
        _by_type(found),
        _over_time(found),
        _versions(found.versions),
        _unanswered(found.unanswered),
        _corrections(found.corrections),
        _drift(found),
    )
    lines = [_printable(line) for part in parts if part for line in ("", *part)]
    return tuple(lines[1:])


def _printable(line: str) -> str:
    """The line without what a terminal would obey: people's words are in it."""
    return "".join(each if each.isprintable() else " " for each in line)


def _headline(found: Usage) -> list[str]:
    figures = found.figures
    lines = [
        f"{found.project}: {figures.asked:,} questions from {found.first} to {found.last}"
        f" ({found.source})",
        f"  answered {_of(figures.answered, figures)}, refused {_of(figures.refused, figures)},"
        f" failed {_of(figures.failed, figures)}",
        f"  right, as people say: {percent(figures.right)}, {figures.right.correct} of"
        f" {figures.right.n} that they judged; corrected: {figures.corrected}",
    ]
    if figures.refused_rightly.n:
        rightly = figures.refused_rightly
        lines.append(f"  refusals that they judged: {rightly.correct} of {rightly.n} right")
    lines.append(
        f"  time to an answer: {_times(figures.latency)}; of that in the database:"
        f" {_times(figures.execution)}"
    )
    return lines


def _of(count: int, figures: Figures) -> str:
    return f"{count:,} ({count / figures.asked:.0%})"


def _times(times: Times) -> str:
    return f"{milliseconds(times.median)} median, {milliseconds(times.p95)} 95th percentile"


def _by_type(found: Usage) -> list[str]:
    if not found.by_type:
        return []
    return ["right by query type, as people say:", *_indented(share_table(found.by_type))]


def _over_time(found: Usage) -> list[str]:
    if len(found.over_time) < 2:
        return []
    rows = [(found.grain, "asked", "refused", "failed", "corrected", "right", "median", "p95")]
    for period in found.over_time[-_PERIODS:]:
        figures, right = period.figures, period.figures.right
        judged = f"{right.correct} of {right.n}" if right.n else "–"
        rows.append(
            (
                period.start.isoformat(), f"{figures.asked:,}", f"{figures.refused:,}",
                f"{figures.failed:,}", f"{figures.corrected:,}", judged,
                milliseconds(figures.latency.median), milliseconds(figures.latency.p95),
            )
        )  # fmt: skip
    return ["over time:", *_indented(table(rows))]


def _versions(found: Sequence[Version]) -> list[str]:
    rows = [("model", "from", "to", "asked", "refused", "right", "median", "p95", "validated")]
    for each in found:
        figures, right = each.figures, each.figures.right
        name, share = each.validated[0] if each.validated else ("", None)
        rows.append(
            (
                each.model or "(unknown)", each.first.isoformat(), each.last.isoformat(),
                f"{figures.asked:,}", f"{figures.refused / figures.asked:.0%}",
                f"{right.value:.0%} of {right.n}" if right.value is not None else "–",
                milliseconds(figures.latency.median), milliseconds(figures.latency.p95),
                f"{share.value:.1%} {name}" if share and share.value is not None else "–",
            )
        )  # fmt: skip
    return ["versions of the model:", *_indented(table(rows))]


def _unanswered(found: Unanswered) -> list[str]:
    if not found.asked:
        return []
    later = f"; {found.answered_later:,} have one by now" if found.answered_later else ""
    lines = [f"without an answer: {found.asked:,} times{later}; what is missing:"]
    counts = table([(_named(g.kind, g.what), f"{g.asked:,}") for g in found.groups[:_GROUPS]])
    for line, group in zip(counts, found.groups, strict=False):
        lines.append(f"  {line}  {short(group.examples[0])}")
    if len(found.groups) > _GROUPS:
        lines.append(f"  and {len(found.groups) - _GROUPS} more, in --json and --html")
    return lines


def _named(kind: str, what: str) -> str:
    return f"“{short(what)}”" if kind == "missing" else short(what)


def _corrections(found: Sequence[Correction]) -> list[str]:
    shown = [
        f"  {each.day}  {short(each.question)}{f'  [{each.person}]' if each.person else ''}"
        for each in found[:_CORRECTED]
    ]
    return ["last corrections:", *shown] if shown else []


def _drift(found: Usage) -> list[str]:
    drift = found.drift
    if drift is None:
        return [f"drift from the corpus is not told: {found.no_drift}"]
    lines = [f"against the corpus ({drift.examples:,} examples; {drift.questions:,} questions):"]
    lines += _last_distance(drift)
    for title, unlike in (
        ("words that it has rarely or never", drift.words),
        ("metrics, tables and columns that it has rarely", drift.things),
        ("forms of SQL that it has rarely", drift.shapes),
    ):
        lines += _unlike(title, unlike)
    if len(lines) == 1:
        lines.append("  nothing that people ask is rare there")
    return lines


def _last_distance(drift: Drift) -> list[str]:
    if not drift.over_time:
        return []
    first, last = drift.over_time[0], drift.over_time[-1]
    return [
        f"  distance of words {last.distance:.2f} bit in the last period, {first.distance:.2f} in"
        f" the first; as many questions of the corpus itself: {last.expected:.2f}",
        f"  questions with a word that no example has: {last.new_words:.0%} in the last period,"
        f" {first.new_words:.0%} in the first",
    ]


def _unlike(title: str, found: Sequence[Unlike]) -> list[str]:
    shown = ", ".join(
        f"{short(plain(each.name))} ({each.people} asked, {each.corpus} there)"
        for each in found[:_UNLIKE]
    )
    return [f"  {title}: {shown}"] if shown else []


def plain(name: str) -> str:
    """A thing without the mark of its sort: ``orders.status`` for ``c:orders.status``."""
    return name[2:] if name[:2] in ("t:", "c:", "m:") else name


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]
