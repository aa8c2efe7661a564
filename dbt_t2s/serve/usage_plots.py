"""Plots over time for the page of a report: inline SVG, with a label for who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from dbt_t2s.judge.share import Share

CSS = """
rect.ok { fill: var(--bar); } rect.no { fill: var(--soft); opacity: 0.55; }
rect.bad { fill: var(--wrong); opacity: 0.8; }
.dot { fill: var(--focus); } .spread { stroke: var(--bar); stroke-width: 2; opacity: 0.65; }
.area .second { stroke: var(--bar); stroke-width: 2; stroke-linejoin: round; }
.area .third { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 5 4; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; margin-top: 0.8rem; }
.legend span { display: inline-flex; align-items: center; gap: 0.45rem; }
.legend svg { width: 1.1rem; flex: none; }
.scroll { overflow-x: auto; }
.versions table { table-layout: auto; min-width: 44rem; }
.versions th, .versions td { width: auto; padding: 0.45rem 1rem 0.45rem 0; white-space: nowrap; }
.versions td { font-variant-numeric: tabular-nums; vertical-align: middle; }
.versions td svg { width: 8rem; }
.group { padding: 0.7rem 0; border-top: 1px solid var(--line); }
.group:first-of-type { border-top: 0; padding-top: 0; }
.group p { overflow-wrap: anywhere; }
.group .head span:last-child { flex: none; }
.group .head { display: flex; justify-content: space-between; gap: 1rem;
  font-weight: 600; }
.fixed th:first-child { width: 30%; } .fixed th:last-child { width: 35%; }
@media (max-width: 46rem) {
  .versions table { display: table; } .versions thead { display: table-header-group; }
  .versions tbody { display: table-row-group; } .versions tr { display: table-row; padding: 0; }
  .versions td { display: table-cell; border-top: 1px solid var(--line);
    padding: 0.45rem 1rem 0.45rem 0; }
}
"""


@dataclass(frozen=True)
class Line:
    """A value at each time, None where there is none; ``kind`` is a class of the style."""

    name: str
    kind: str
    values: tuple[float | None, ...]


def columns(starts: Sequence[date], stacks: Sequence[tuple[str, str, Sequence[int]]]) -> str:
    """A column for each time, of (name, class, counts) one upon the other."""
    totals = [sum(counts[n] for _, _, counts in stacks) for n in range(len(starts))]
    most = max(totals, default=0) or 1
    step = 100 / len(starts)
    bars = []
    for number in range(len(starts)):
        below = 100.0
        for _, kind, counts in stacks:
            height = 100 * counts[number] / most
            below -= height
            if height:
                bars.append(
                    f'<rect class="{kind}" x="{number * step + step * 0.1:.2f}" y="{below:.2f}"'
                    f' width="{step * 0.8:.2f}" height="{height:.2f}"/>'
                )
    said = ", ".join(f"{sum(counts):,} {name}" for name, _, counts in stacks)
    legend = _legend([(name, f'<rect class="{kind}" width="14" height="10" rx="2"/>')
                      for name, kind, _ in stacks])  # fmt: skip
    return _frame(f"{most:,}", "0", starts, "".join(bars), said) + legend


def lines(
    starts: Sequence[date],
    shown: Sequence[Line],
    top: float,
    most: str,
    *,
    marks: Sequence[int] = (),
) -> str:
    """Lines over time from 0 to ``top``, which ``most`` writes; broken where nothing is known.

    ``marks`` are the times at which another version of the model began.
    """
    paths = [
        f'<path class="{line.kind}" d="{_path(line.values, top)}"/>' + _lone(line.values, top)
        for line in shown
    ]
    last = "; ".join(
        f"{line.name}: {known[-1]:.3g} at last"
        for line in shown
        if (known := [each for each in line.values if each is not None])
    )
    legend = _legend(
        [(each.name, f'<path class="{each.kind}" d="M0 5 L18 5"/>') for each in shown], "area"
    )
    drawn = _marks(marks, len(starts)) + "".join(paths)
    return _frame(most, "0", starts, drawn, last) + (legend if len(shown) > 1 else "")


def shares(starts: Sequence[date], found: Sequence[Share], marks: Sequence[int] = ()) -> str:
    """A share with its interval at each time, from 0 to 100%."""
    drawn = [_marks(marks, len(starts))]
    for number, share in enumerate(found):
        x = _x(number, len(found))
        value, interval = share.value, share.interval
        if value is not None and interval is not None:
            low, high = (100 - 100 * each for each in interval)
            drawn.append(
                f'<line class="spread" x1="{x:.2f}" x2="{x:.2f}" y1="{low:.2f}" y2="{high:.2f}"/>'
            )
    line = Line("right", "curve", tuple(share.value for share in found))
    drawn.append(f'<path class="curve" d="{_path(line.values, 1.0)}"/>{_lone(line.values, 1.0)}')
    told = [share.value for share in found if share.value is not None]
    label = f"{told[0]:.0%} right at first, {told[-1]:.0%} at last" if told else "no verdicts"
    return _frame("100%", "0%", starts, "".join(drawn), label)


def _frame(top: str, bottom: str, starts: Sequence[date], drawn: str, label: str) -> str:
    first, last = (_day(each) for each in (starts[0], starts[-1]))
    middle = _day(starts[len(starts) // 2]) if len(starts) > 4 else ""
    return (
        f'<div class="chart"><div class="ys"><span>{escape(top)}</span>'
        f"<span>{bottom}</span></div>\n"
        '<svg class="area" height="180" viewBox="0 0 100 100" preserveAspectRatio="none"'
        f' role="img" aria-label="{escape(label)}">'
        f'<rect class="track" width="100" height="100"/>{drawn}</svg>\n'
        f'<div class="xs"><span>{first}</span><span>{middle}</span>'
        f"<span>{last if len(starts) > 1 else ''}</span></div></div>\n"
    )


def _legend(entries: Sequence[tuple[str, str]], kind: str = "") -> str:
    shown = "".join(
        f'<span class="soft"><svg class="{kind}" height="10" viewBox="0 0 18 10"'
        f' aria-hidden="true">{drawing}</svg>{escape(name)}</span>'
        for name, drawing in entries
    )
    return f'<div class="legend">{shown}</div>\n'


def _path(values: Sequence[float | None], top: float) -> str:
    parts, broken = [], True
    for number, value in enumerate(values):
        if value is not None:
            y = 100 - 100 * min(value, top) / top
            parts.append(f"{'M' if broken else 'L'}{_x(number, len(values)):.2f} {y:.2f}")
        broken = value is None
    return " ".join(parts)


def _lone(values: Sequence[float | None], top: float) -> str:
    """A short stroke where a value has no neighbour: a path of one point is not seen."""
    drawn = []
    for number, value in enumerate(values):
        around = (values[n] for n in (number - 1, number + 1) if 0 <= n < len(values))
        if value is not None and all(each is None for each in around):
            x, y = _x(number, len(values)), 100 - 100 * min(value, top) / top
            drawn.append(
                f'<path class="curve" d="M{max(x - 1, 0):.2f} {y:.2f} L{x + 1:.2f} {y:.2f}"/>'
            )
    return "".join(drawn)


def _marks(marks: Sequence[int], count: int) -> str:
    return "".join(
        f'<line class="limit" x1="{100 * each / count:.2f}" x2="{100 * each / count:.2f}"'
        ' y1="0" y2="100"/>'
        for each in marks
        if each
    )


def _x(number: int, count: int) -> float:
    """The middle of the place that a time has."""
    return 100 * (number + 0.5) / count


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
