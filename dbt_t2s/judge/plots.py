"""The plots of report.html: inline SVG that fits any width, with a label for who cannot see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from dbt_t2s.judge.calibration import Calibration, Point
from dbt_t2s.judge.share import Share, percentile

_BINS = 24
# Of slow answers there may be a few very slow ones, which would squeeze all others to a line.
_SHOWN_SHARE = 0.98


def share_bars(shares: Iterable[tuple[str, Share]]) -> str:
    """A bar per name with its interval, over a scale from 0 to 100%."""
    lines = "".join(_share_row(name, share) for name, share in shares)
    anchors = {0: "start", 100: "end"}
    axis = "".join(
        f'<text x="{at}%" y="12" text-anchor="{anchors.get(at, "middle")}">{at}%</text>'
        for at in (0, 25, 50, 75, 100)
    )
    return (
        f'<div class="types">\n{lines}<span class="gap"></span>'
        f'<svg class="axis" height="16" aria-hidden="true">{axis}</svg><span class="gap"></span>\n'
        "</div>\n"
    )


def _share_row(name: str, share: Share) -> str:
    label = f"{name}: {share.correct} of {share.n} correct"
    return _row(
        name,
        share_bar(share, 16, label),
        f"{share.value or 0.0:.0%} <small>{share.correct}/{share.n}</small>",
    )


def share_bar(share: Share, height: int, label: str) -> str:
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


def count_bars(counts: Sequence[tuple[str, int]]) -> str:
    """A bar per name, the longest as long as the plot is wide."""
    most = max((count for _, count in counts), default=1)
    lines = "".join(
        _row(
            name,
            f'<svg height="16" role="img" aria-label="{escape(name)}: {count}">'
            f'<rect class="wrong" width="{100 * count / most:.2f}%" height="16" rx="4"/></svg>',
            str(count),
        )
        for name, count in counts
    )
    return f'<div class="types">\n{lines}</div>\n'


def risk_coverage(found: Calibration) -> str:
    """How many of the given answers are wrong, when only the surest are given."""
    top = max(0.1, _above(max(point.risk for point in found.curve)))
    points = [_placed(point, top) for point in found.curve]
    path = " ".join(
        f"{'L' if number else 'M'}{x:.2f} {y:.2f}" for number, (x, y) in enumerate(points)
    )
    wanted = 100 - 100 * (1 - found.wanted) / top
    at = found.threshold
    mark = "" if at is None else _mark(100 * at.coverage)
    last = found.curve[-1].risk
    label = f"{last:.0%} of all given answers are wrong"
    if at is not None:
        label += f"; {at.risk:.0%} of the surest {at.coverage:.0%}"
    return (
        f'<div class="chart"><div class="ys"><span>{top:.0%}</span><span>0%</span></div>\n'
        f'<svg class="area" height="180" viewBox="0 0 100 100" preserveAspectRatio="none"'
        f' role="img" aria-label="{escape(label)}">'
        '<rect class="track" width="100" height="100"/>'
        f'<line class="limit" x1="0" x2="100" y1="{wanted:.2f}" y2="{wanted:.2f}"/>'
        f'{mark}<path class="curve" d="{path}"/></svg>\n'
        '<div class="xs"><span>0%</span><span>answers given, the surest first</span>'
        "<span>100%</span></div></div>\n"
    )


def _placed(point: Point, top: float) -> tuple[float, float]:
    return 100 * point.coverage, 100 - 100 * point.risk / top


def _above(share: float) -> float:
    """The next tenth."""
    return min(1.0, (int(share * 10) + 1) / 10)


def _mark(x: float) -> str:
    return f'<line class="mark" x1="{x:.2f}" x2="{x:.2f}" y1="0" y2="100"/>'


def histogram(values: Sequence[float]) -> str:
    """How many answers took how long; ``values`` are milliseconds, and not empty."""
    most = (percentile(values, _SHOWN_SHARE) or 0.0) or 1.0
    counts = [0] * _BINS
    for value in values:
        counts[min(_BINS - 1, int(value / most * _BINS))] += 1
    highest = max(counts)
    bars = "".join(
        f'<rect class="bar" x="{100 * number / _BINS + 0.4:.2f}"'
        f' y="{100 - 100 * count / highest:.2f}" width="{100 / _BINS - 0.8:.2f}"'
        f' height="{100 * count / highest:.2f}"/>'
        for number, count in enumerate(counts)
        if count
    )
    middle, slow = percentile(values, 0.5) or 0.0, percentile(values, 0.95) or 0.0
    marks = _mark(min(100.0, 100 * middle / most)) + _mark(min(100.0, 100 * slow / most))
    label = f"half of the answers took {milliseconds(middle)} or less, 95% {milliseconds(slow)}"
    return (
        f'<div class="chart"><div class="ys"><span>{highest}</span><span>0</span></div>\n'
        '<svg class="area" height="180" viewBox="0 0 100 100" preserveAspectRatio="none"'
        f' role="img" aria-label="{escape(label)}">'
        f'<rect class="track" width="100" height="100"/>{bars}{marks}</svg>\n'
        f'<div class="xs"><span>0</span><span>time to an answer</span>'
        f"<span>{milliseconds(most)}+</span></div></div>\n"
    )


def milliseconds(value: float | None) -> str:
    """``380 ms`` or ``1.4 s``; a dash for None."""
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def _row(name: str, plot: str, figure: str) -> str:
    return (
        f'<div class="type"><span class="name">{escape(name)}</span>'
        f'<div class="plot">{plot}</div><span class="figure">{figure}</span></div>\n'
    )
