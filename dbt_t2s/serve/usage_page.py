"""A report on the use of a model as one HTML page with plots, with nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape

from dbt_t2s import sql as language
from dbt_t2s.judge.cards import card, document, figure, fold
from dbt_t2s.judge.plots import milliseconds, share_bar, share_bars
from dbt_t2s.judge.share import Share
from dbt_t2s.serve import usage_plots as plots
from dbt_t2s.serve.drift import Drift, Unlike
from dbt_t2s.serve.figures import Figures, Period, Version
from dbt_t2s.serve.unanswered import Group, Unanswered
from dbt_t2s.serve.usage import Correction, Usage
from dbt_t2s.serve.usage_lines import plain

_OPEN_GROUPS, _OPEN_UNLIKE = 8, 4


def to_html(found: Usage, dialect: str = "duckdb") -> str:
    """The whole page; SQL is laid out as ``dialect`` is read."""
    body = "".join(
        (
            _head(found),
            _headline(found.figures),
            _over_time(found),
            _versions(found.versions),
            _missing(found.unanswered),
            _drift(found),
            _corrections(found.corrections, dialect),
        )
    )
    return document(f"{found.project or 'dbt-t2s'}: in use", body, css=plots.CSS)


def _head(found: Usage) -> str:
    window = found.window
    facts = [
        f"{found.first} to {found.last}",
        f"{len(found.versions)} version{'s' if len(found.versions) != 1 else ''} of the model",
        f"model {window.model}…" if window.model else "",
        found.source,
    ]
    shown = "".join(f"<span>{escape(each)}</span>" for each in facts if each)
    return (
        f"<header>\n<h1>{escape(found.project or 'dbt-t2s')}, in use</h1>\n"
        f'<div class="meta soft">{shown}</div>\n</header>\n'
    )


def _headline(figures: Figures) -> str:
    cards = (
        _right(figures),
        card(
            "Questions",
            figure(f"{figures.asked:,}", "asked")
            + figure(
                f"{figures.answered / figures.asked:.0%}",
                f"answered; {figures.refused:,} refused, {figures.failed:,} failed",
            ),
        ),
        card(
            "Time to an answer",
            figure(milliseconds(figures.latency.median), "median")
            + figure(milliseconds(figures.latency.p95), "95th percentile"),
        ),
        card(
            "What people said",
            figure(f"{figures.corrected:,}", "answers corrected")
            + figure(_of(figures.refused_rightly), "judged refusals were right"),
        ),
    )
    return f'<section>\n<h2>In short</h2>\n<div class="hero">\n{"".join(cards)}</div>\n</section>\n'


def _of(share: Share) -> str:
    return f"{share.correct} of {share.n}" if share.n else "–"


def _right(figures: Figures) -> str:
    share = figures.right
    value, interval = share.value, share.interval
    if value is None or interval is None:
        return card("Right, as people say", "<p>Nobody has judged an answer.</p>\n", "wide")
    low, high = (f"{each * 100:.1f}" for each in interval)
    label = f"{value:.1%}, interval {low} to {high}%"
    return card(
        "Right, as people say",
        f'<p class="big">{value * 100:.1f}<span>%</span></p>\n'
        f'<div class="scale">{share_bar(share, 12, label)}</div>\n'
        f"<p>{share.correct} of the {share.n} that people judged, of {figures.asked:,}.</p>\n"
        f'<p class="soft">95% interval: {low} to {high}%, if they judge without choosing.</p>\n',
        "wide",
    )


def _over_time(found: Usage) -> str:
    over, starts = found.over_time, [each.start for each in found.over_time]
    marks = _changes(over)
    figures = [each.figures for each in over]
    stacks = (
        ("answered", "ok", [each.answered for each in figures]),
        ("refused", "no", [each.refused for each in figures]),
        ("failed", "bad", [each.failed for each in figures]),
    )
    note = "Dashes: another version of the model began to answer." if any(marks) else ""
    cards = [
        card(f"Questions a {found.grain}", plots.columns(starts, stacks)),
        card(
            "Right, as people say",
            plots.shares(starts, [each.right for each in figures], marks)
            + _key(f"Strokes: the 95% interval. {note}"),
        ),
        card(
            "Time to an answer",
            _times(
                [each.latency.median for each in figures],
                [each.latency.p95 for each in figures],
                found,
                marks,
            ),
        ),
        card(
            "Of that, in the database",
            _times(
                [each.execution.median for each in figures],
                [each.execution.p95 for each in figures],
                found,
                marks,
            ),
        ),
        card("Right by query type", share_bars(found.by_type) if found.by_type else _none()),
        card("Refusals and corrections", _refusals(starts, figures, marks)),
    ]
    return (
        f'<section>\n<h2>Over time</h2>\n<div class="grid">\n{"".join(cards)}</div>\n</section>\n'
    )


def _refusals(starts: Sequence[date], figures: Sequence[Figures], marks: Sequence[int]) -> str:
    refused, corrected = _rates(figures, "refused"), _rates(figures, "corrected")
    most = max(each for each in (*refused, *corrected) if each is not None)
    top = min(1.0, (int(most * 10) + 1) / 10)
    shown = (
        plots.Line("refused", "curve", refused),
        plots.Line("corrected", "second", corrected),
    )
    return plots.lines(starts, shown, top, f"{top:.0%}", marks=marks)


def _rates(figures: Sequence[Figures], name: str) -> tuple[float | None, ...]:
    return tuple(getattr(each, name) / each.asked if each.asked else None for each in figures)


def _times(
    median: Sequence[float | None], p95: Sequence[float | None], found: Usage, marks: Sequence[int]
) -> str:
    top = max((each for each in p95 if each is not None), default=0.0) or 1.0
    return plots.lines(
        [each.start for each in found.over_time],
        (
            plots.Line("95th percentile", "second", tuple(p95)),
            plots.Line("median", "curve", tuple(median)),
        ),
        top,
        milliseconds(top),
        marks=marks,
    )


def _changes(over: Sequence[Period]) -> list[int]:
    """The periods in which a version answered that had not before."""
    seen: set[str] = set()
    found = []
    for number, each in enumerate(over):
        if set(each.models) - seen:
            found.append(number)
        seen.update(each.models)
    return found


def _versions(found: Sequence[Version]) -> str:
    heads = ("Model", "Days", "Asked", "Refused", "Right, as people say", "", "Median", "95%",
             "Validated")  # fmt: skip
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    lines = "".join(_version(each) for each in found)
    return (
        '<section>\n<h2>Versions of the model</h2>\n<div class="card scroll versions">\n'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n</div>\n"
        "</section>\n"
    )


def _version(each: Version) -> str:
    figures, right = each.figures, each.figures.right
    name, share = each.validated[0] if each.validated else ("", None)
    told = f"{share.value:.1%} {name}" if share and share.value is not None else "–"
    cells = (
        f"<code>{escape(each.model or '(unknown)')}</code>",
        f"{each.first} – {each.last}",
        f"{figures.asked:,}",
        f"{figures.refused / figures.asked:.0%}",
        share_bar(right, 12, f"{right.correct} of {right.n}") if right.n else "–",
        f"{right.value:.0%} <small>{right.correct}/{right.n}</small>" if right.value is not None
        else "",
        milliseconds(figures.latency.median),
        milliseconds(figures.latency.p95),
        escape(told),
    )  # fmt: skip
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


def _missing(found: Unanswered) -> str:
    if not found.asked:
        return ""
    later = (
        f"; {found.answered_later:,} of them have one by now, given by a person or at another time"
        if found.answered_later
        else ""
    )
    lead = f'<p class="soft">{found.asked:,} times a question got no answer{later}.</p>\n'
    first = "".join(map(_group, found.groups[:_OPEN_GROUPS]))
    rest = found.groups[_OPEN_GROUPS:]
    more = fold("And what fewer asked", "".join(map(_group, rest)), len(rest))
    return (
        f"<section>\n<h2>What nobody could answer</h2>\n{lead}"
        f'<div class="card key">\n{first or _none()}</div>\n{more}</section>\n'
    )


def _group(group: Group) -> str:
    name = f"“{group.what}”" if group.kind == "missing" else group.what
    times = f"{group.asked:,} time{'s' if group.asked != 1 else ''}"
    said = " · ".join(group.examples)
    return (
        f'<div class="group">\n<p class="head"><span>{escape(name)}</span>'
        f"<span>{times}</span></p>\n"
        f'<p>{escape(said)}</p>\n<p class="soft">{group.questions:,} different; {group.first} to'
        f" {group.last}</p>\n</div>\n"
    )


def _drift(found: Usage) -> str:
    drift = found.drift
    title = "<h2>What people ask, beside what the model was taught</h2>\n"
    if drift is None:
        return f'<section>\n{title}<p class="card">{escape(found.no_drift)}</p>\n</section>\n'
    cards = [_distance(drift), card("Query types", _type_bars(drift))] if drift.questions else []
    cards += [
        card(name, _unlike(unlike))
        for name, unlike in (
            ("Words it rarely or never met", drift.words),
            ("Metrics, tables and columns it rarely met", drift.things),
            ("Forms of SQL it rarely met", drift.shapes),
        )
        if unlike
    ]
    return f'<section>\n{title}<div class="grid">\n{"".join(cards)}</div>\n</section>\n'


def _distance(drift: Drift) -> str:
    over = drift.over_time
    if not over:
        return card("Distance", "<p>Too few questions in each period to tell.</p>\n")
    top = max(0.1, *(each.distance for each in over), *(each.expected for each in over))
    top = (int(top * 10) + 1) / 10
    drawn = plots.lines(
        [each.start for each in over],
        (
            plots.Line("people's questions", "curve", tuple(e.distance for e in over)),
            plots.Line("as many of the corpus", "third", tuple(e.expected for e in over)),
            plots.Line("with a new word", "second", tuple(e.new_words for e in over)),
        ),
        top,
        f"{top:.1f}",
    )
    return card(
        "Distance from the corpus",
        drawn
        + _key(
            "Of the words, as Jensen-Shannon divergence (Lin 1991) in bits; and the share of"
            " questions that have a word of which no example knows."
        ),
    )


def _type_bars(drift: Drift) -> str:
    lines = "".join(
        f'<div class="type"><span class="name">{escape(name)}</span><div class="plot">'
        f'<svg height="18" role="img" aria-label="{escape(name)}: people {people:.0%}, corpus'
        f' {corpus:.0%}"><rect class="ok" width="{100 * people:.2f}%" height="8" rx="2"/>'
        f'<rect class="no" y="10" width="{100 * corpus:.2f}%" height="8" rx="2"/></svg></div>'
        f'<span class="figure">{people:.0%} <small>{corpus:.0%}</small></span></div>\n'
        for name, people, corpus in drift.types
    )
    return f'<div class="types">\n{lines}</div>\n' + _key("Green: of people; grey: of the corpus.")


def _unlike(found: Sequence[Unlike]) -> str:
    """The first few; the others open when they are wanted."""
    first, rest = _listed(found[:_OPEN_UNLIKE]), found[_OPEN_UNLIKE:]
    if not rest:
        return first
    summary = f"<summary>More <small>{len(rest)}</small></summary>"
    return f"{first}<details>{summary}\n{_listed(rest)}</details>\n"


def _listed(found: Sequence[Unlike]) -> str:
    return "".join(
        f'<div class="group">\n<p class="head"><span>{escape(plain(each.name))}</span>'
        f"<span>{each.people} asked, {each.corpus} there</span></p>\n"
        f'<p class="soft">{escape(" · ".join(each.examples))}'
        f"{f' ({each.without} without a right answer)' if each.without else ''}</p>\n</div>\n"
        for each in found
    )


def _corrections(found: Sequence[Correction], dialect: str) -> str:
    lines = "".join(
        f"<tr><td>{escape(each.question)}"
        f'<p class="soft">{escape(" · ".join(_who(each)))}</p></td>'
        f'<td data-name="Given">{_code(each.given, dialect)}</td>'
        f'<td data-name="Corrected">{_code(each.right, dialect)}</td></tr>\n'
        for each in found
    )
    table = (
        '<table class="fixed">\n<thead><tr><th>Question</th><th>Given</th><th>Corrected</th></tr>'
        f"</thead>\n<tbody>\n{lines}</tbody>\n</table>\n"
    )
    shown = fold("Last corrections", table, len(found))
    return f"<section>\n<h2>Corrections</h2>\n{shown}</section>\n" if found else ""


def _who(each: Correction) -> list[str]:
    return [part for part in (str(each.day), each.person, each.note) if part]


def _code(sql: str, dialect: str) -> str:
    if not sql:
        return '<p class="soft">no SQL</p>'
    try:
        return f"<pre>{escape(language.format_sql(sql, dialect))}</pre>"
    except language.SqlError:
        return f"<pre>{escape(sql)}</pre>"


def _key(text: str) -> str:
    return f'<p class="soft key">{escape(text.strip())}</p>\n'


def _none() -> str:
    return "<p>None.</p>\n"
