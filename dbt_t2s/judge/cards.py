"""The parts that every HTML report is put together from: a page, cards, figures, folds."""

from __future__ import annotations

from html import escape

from dbt_t2s.judge.page import CSS


def document(title: str, body: str, *, css: str = "", script: str = "") -> str:
    """A whole page that loads nothing from elsewhere; ``body`` is HTML, ``title`` is text."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{CSS}{css}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n"
        + (f"<script>{script}</script>\n" if script else "")
        + "</body>\n</html>\n"
    )


def card(title: str, content: str, kind: str = "") -> str:
    """A box with a heading; ``content`` is HTML."""
    return f'<div class="card {kind}">\n<h3>{escape(title)}</h3>\n{content}</div>\n'


def figure(value: str, meaning: str) -> str:
    """A number in large type, and what it is."""
    return f'<div class="figure"><b>{escape(value)}</b><small>{escape(meaning)}</small></div>\n'


def fold(title: str, content: str, count: int) -> str:
    """What opens when it is wanted; nothing where there is nothing in it."""
    if not count:
        return ""
    summary = f"<summary>{escape(title)} <small>{count:,}</small></summary>"
    return f'<details>\n{summary}\n<div class="card">\n{content}</div>\n</details>\n'
