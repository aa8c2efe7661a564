"""How versions, and what came of an improvement, look to a person or as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s.codec import encode
from dbt_t2s.console import Console
from dbt_t2s.judge.baseline import Comparison
from dbt_t2s.learning import comparing, trial
from dbt_t2s.learning.improving import Improvement, kinds
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


def improvement(console: Console, found: Improvement, *, json: bool, dry_run: bool) -> None:
    """What was learned, what could not be, and how the trial went."""
    if json:
        console.json(_improvement_json(found, dry_run=dry_run), indent=1)
        return
    told = kinds(found.lessons)
    console.print(
        f"{told['correction']} corrections, {told['refusal']} refusals and {told['right']} right"
        f" answers make {found.examples} examples"
    )
    for each in found.lessons.left:
        console.print(f"not learned: {each.question}: {each.why}")
    if found.trial is None:
        console.print("nothing was trained" if dry_run else found.why_not[0])
        return
    for held in found.trial.held:
        console.print(f"{held.name}: {comparing.lines(held.found)[0]}")
        for line in comparing.lines(held.found)[1:]:
            console.print(f"  {line}")
    if found.version:
        console.print(f"version {found.version} is in use; back: dbt-t2s models use parent")


def _improvement_json(found: Improvement, *, dry_run: bool) -> dict[str, object]:
    return {
        "promoted": bool(found.version),
        "version": found.version,
        "dry_run": dry_run,
        "lessons": dict(kinds(found.lessons)),
        "examples": found.examples,
        "not_learned": [encode(each) for each in found.lessons.left],
        "trial": trial.as_json(found.trial) if found.trial else None,
        "why_not": [] if found.version or dry_run else list(found.why_not),
    }
