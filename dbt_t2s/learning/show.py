"""How versions, and what came of an improvement, look to a person or as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s.codec import encode
from dbt_t2s.console import Console
from dbt_t2s.judge.baseline import Comparison
from dbt_t2s.learning import comparing
from dbt_t2s.learning.versions import Figures, Version


def versions(console: Console, found: Sequence[Version], current: str, *, json: bool) -> None:
    """The versions, the newest first."""
    if json:
        console.json([{**encode(each), "current": each.id == current} for each in found], indent=1)
        return
    if not found:
        console.print("no model is kept yet; next: dbt-t2s train")
        return
    rows = [
        (
            each.id,
            "current" if each.id == current else "",
            each.created_at[:16].replace("T", " "),
            each.how,
            each.parent,
            "; ".join(map(_figures, each.figures)) or "not judged",
        )
        for each in found
    ]
    console.table(("version", "", "when (UTC)", "how", "parent", "right answers"), rows)


def _figures(figures: Figures) -> str:
    refused = f", {figures.refused}/{figures.unanswerable} refused" if figures.unanswerable else ""
    return f"{figures.suite} {figures.right}/{figures.answerable}{refused}"


def used(console: Console, version: Version, *, json: bool) -> None:
    if json:
        console.json(encode(version), indent=1)
    else:
        console.print(f"{version.id} is in use, of {version.created_at[:16].replace('T', ' ')}")
        console.info("a server that runs goes on with the model it loaded until it starts anew")


def comparison(console: Console, pair: Sequence[Version], found: Comparison, *, json: bool) -> None:
    """Two versions beside each other."""
    if json:
        told = {"versions": [each.id for each in pair], **comparing.as_json(found)}
        console.json(told, indent=1)
        return
    console.print(f"{pair[1].id} beside {pair[0].id}")
    for line in comparing.lines(found):
        console.print(line)
