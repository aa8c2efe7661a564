"""Pages of the catalogue as plain text, aligned and fitted to a width, and as Markdown, in full."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

from dbt_t2s.project.catalogue import Grid, Page

WIDTH = 120
_PROSE_LINES = 3
# Columns of a grid but the last are cut to this, so that one long name does not push all aside.
_CELL = 44
_NARROWEST = 20
# Longer cells go on below, as far as this.
_CELL_LINES = 2
_GAP = "  "
_NO_LINKS: frozenset[str] = frozenset()


def as_text(pages: Sequence[Page], width: int = WIDTH) -> str:
    """Plain text; what does not fit is cut with an ellipsis (Markdown and JSON hold it whole)."""
    return "\n\n".join("\n".join(_text_lines(page, width)) for page in pages) + "\n"


def _text_lines(page: Page, width: int) -> Iterator[str]:
    yield page.title
    yield "─" * min(width, _wide(page.title))
    if page.prose:
        found = wrap(page.prose, width)
        yield from found[: _PROSE_LINES - 1]
        if len(found) >= _PROSE_LINES:
            yield _cut(" ".join(found[_PROSE_LINES - 1 :]), width)
    label = max((_wide(name) for name, _ in page.facts), default=0)
    for name, value in page.facts:
        yield f"{_pad(name, label)}{_GAP}{_cut(value, width - label - len(_GAP))}"
    for title, grid in page.grids:
        yield ""
        if title:
            yield title
        yield from _text_grid(grid, width, indent=_GAP if title else "")


def _text_grid(grid: Grid, width: int, indent: str) -> Iterator[str]:
    """Aligned columns; those that no row fills, and details, are left out."""
    places = [
        i
        for i, header in enumerate(grid.headers)
        if header not in grid.detail and any(row[i] for row in grid.rows)
    ]
    rows = [[row[i] for i in places] for row in (grid.headers, *grid.rows)]
    wanted = [min(_CELL, max(_wide(row[i]) for row in rows)) for i in range(len(places))]
    room = width - len(indent) - len(_GAP) * (len(places) - 1)
    widths = _fitted(wanted, [max(_wide(row[i]) for row in rows) for i in range(len(places))], room)
    for row in rows:
        cells = [_wrapped(cell, size) for cell, size in zip(row, widths, strict=True)]
        for line in zip_longest(*cells, fillvalue=""):
            shown = (_pad(part, size) for part, size in zip(line, widths, strict=True))
            yield (indent + _GAP.join(shown)).rstrip()


def _wrapped(cell: str, width: int) -> list[str]:
    """The cell in lines of at most ``width``, the last one cut where they do not suffice."""
    flat = " ".join(cell.split())
    found = wrap(flat, width, break_long_words=False) if _wide(flat) > width else [flat]
    last = " ".join(found[_CELL_LINES - 1 :])
    kept = [*found[: _CELL_LINES - 1], *([last] if last else [])]
    return [_cut(line, width) for line in kept]


def _fitted(wanted: list[int], longest: list[int], room: int) -> list[int]:
    """Column widths that fill ``room`` at most: the widest give way first, then spare room is used.

    ``wanted`` are the widths to start from, ``longest`` those that would cut nothing.
    """
    widths = list(wanted)
    while sum(widths) > room and max(widths) > _NARROWEST // 2:
        widths[widths.index(max(widths))] -= 1
    spare = room - sum(widths)
    for place in reversed(range(len(widths))):
        more = min(max(spare, 0), longest[place] - widths[place])
        widths[place] += more
        spare -= more
    return widths


def _wide(text: str) -> int:
    """How many places a terminal gives the text: two for wide letters, none for marks on others."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _cut(text: str, width: int) -> str:
    if _wide(text) <= width:
        return text
    while text and _wide(text) > width - 1:
        text = text[: max(0, min(len(text) - 1, width - 1))]
    return text.rstrip() + "…"


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _wide(text))


def as_markdown(pages: Sequence[Page]) -> str:
    """GitHub's Markdown with a heading per page and links from the contents; nothing is cut."""
    titles = frozenset(page.title for page in pages)
    parts: list[str] = []
    for index, page in enumerate(pages):
        first = index == 0 and bool(pages[1:])
        linked = titles if first else _NO_LINKS
        parts += [f"{'#' if first else '##'} {_escaped(page.title)}", _escaped(page.prose)]
        parts.append("\n".join(f"- **{name}**: {_escaped(value)}" for name, value in page.facts))
        for title, grid in page.grids:
            parts += [
                f"### {title}" if title else "",
                _markdown_grid(grid, linked),
            ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_grid(grid: Grid, linked: frozenset[str]) -> str:
    places = [i for i in range(len(grid.headers)) if any(row[i] for row in grid.rows)]
    lines = [
        "| " + " | ".join(grid.headers[i] for i in places) + " |",
        "|" + "|".join(" --- " for _ in places) + "|",
    ]
    for row in grid.rows:
        cells = [_escaped(row[i]) for i in places]
        if row[places[0]] in linked:
            cells[0] = f"[{cells[0]}](#{_anchor(row[places[0]])})"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _anchor(title: str) -> str:
    """GitHub's own anchor for a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _escaped(text: str) -> str:
    """Text in which nothing is read as Markdown or HTML: docs are data."""
    flat = " ".join(text.split())
    return re.sub(r"([\\|*_`<>\[\]~#])", r"\\\1", flat)
