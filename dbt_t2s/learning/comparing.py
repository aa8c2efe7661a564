"""Two versions of a model, question by question."""

from __future__ import annotations

from dbt_t2s.judge.baseline import Change, Comparison, baseline_of, compared
from dbt_t2s.judge.paired import LEVEL, is_significant_loss, loss_by_chance
from dbt_t2s.judge.report import Report
from dbt_t2s.judge.share import Share
from dbt_t2s.learning import versions
from dbt_t2s.learning.versions import Version
from dbt_t2s.workspace import Workspace


def compare(workspace: Workspace, first: Version, second: Version) -> Comparison:
    """``second`` beside ``first`` on the questions that both were judged on.

    A version that was not judged yet is, on the business test set.
    """
    before, now = (report_of(workspace, each) for each in (first, second))
    return of_reports(before, now)


def of_reports(before: Report, now: Report) -> Comparison:
    return compared(baseline_of(before.suites, before.model, before.created_at), now.suites)


def report_of(workspace: Workspace, version: Version) -> Report:
    """What became of the test questions with a version: as it was judged, or judged now."""
    from dbt_t2s.validation import judge_apart

    known = versions.judgement(workspace, version)
    return known or judge_apart(workspace, versions.folder_of(workspace, version.id))


def lines(found: Comparison) -> list[str]:
    """The comparison for a person: shares, what chance would do, every change by name."""
    lost, gained = len(found.regressions), len(found.gains)
    chance = loss_by_chance(lost, gained)
    said = "a significant loss" if is_significant_loss(lost, gained) else "no significant loss"
    told = [
        f"{_share(found.before)} before, {_share(found.now)} now:"
        f" {gained} gained, {lost} lost; {said} (exact McNemar test, p = {chance:.3f},"
        f" level {LEVEL:g})"
    ]
    told += [f"lost:   {_named(each)}" for each in found.regressions]
    told += [f"gained: {_named(each)}" for each in found.gains]
    return told


def as_json(found: Comparison) -> dict[str, object]:
    lost, gained = len(found.regressions), len(found.gains)
    return {
        "questions": found.now.n,
        "before": found.before.correct,
        "now": found.now.correct,
        "p": round(loss_by_chance(lost, gained), 6),
        "level": LEVEL,
        "significant_loss": is_significant_loss(lost, gained),
        "regressions": [change_json(each) for each in found.regressions],
        "gains": [change_json(each) for each in found.gains],
    }


def change_json(change: Change) -> dict[str, object]:
    return {
        "suite": change.suite,
        "question": change.now.item.question,
        "before": change.before.sql,
        "now": change.now.prediction.sql,
        "cause": change.now.cause or change.before.cause,
    }


def _named(change: Change) -> str:
    cause = change.now.cause or change.before.cause
    return f"{change.now.item.question} ({change.suite}{f': {cause}' if cause else ''})"


def _share(share: Share) -> str:
    return f"{share.correct} of {share.n} right"
