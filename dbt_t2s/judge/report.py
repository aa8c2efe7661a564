"""A validation's results, and their JSON form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from dbt_t2s.judge.baseline import Baseline, Change, Comparison, compared
from dbt_t2s.judge.calibration import Calibration, calibration
from dbt_t2s.judge.outcomes import (
    Cost,
    Outcome,
    SuiteReport,
    by_cause,
    latencies,
    refused,
    shares_by_metric,
    shares_by_model,
    shares_by_phase,
    shares_by_type,
)
from dbt_t2s.judge.share import Share, percentile

VERSION = 2
# Of each cause of errors this many are shown.
EXAMPLES = 3


@dataclass(frozen=True)
class Section:
    """What another judge found, under its own name: ``lines`` for people, ``content`` as JSON."""

    name: str
    lines: tuple[str, ...]
    content: str = "{}"


@dataclass(frozen=True)
class Report:
    """One validation of one model: ``schema`` is the fingerprint it was validated against.

    ``created_at`` is an ISO time, ``model`` what the model calls itself, ``stamp`` what tells it
    from another of that name. ``baseline`` is what the model before it answered.
    """

    suites: tuple[SuiteReport, ...]
    project: str = ""
    model: str = ""
    schema: str = ""
    dialect: str = "duckdb"
    created_at: str = ""
    stamp: str = ""
    baseline: Baseline | None = None
    sections: tuple[Section, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(each for suite in self.suites for each in suite.outcomes)

    @property
    def partial(self) -> str:
        """Why not everything was judged; empty when it was."""
        found = (f"{suite.name}: {suite.partial}" for suite in self.suites if suite.partial)
        return "; ".join(found)

    @cached_property
    def calibration(self) -> Calibration:
        return calibration(self.outcomes)

    @cached_property
    def comparison(self) -> Comparison | None:
        """This model beside the last; None where no question was asked of both."""
        if self.baseline is None:
            return None
        found = compared(self.baseline, self.suites)
        return found if found.now.n else None


def to_json(report: Report, *, outcomes: bool = True) -> dict[str, object]:
    """The content of report.json; ``refused`` and ``n`` are counts, ``ex`` a share or null.

    Without ``outcomes`` it is a summary: no single questions but the examples of each cause.
    """
    return {
        "version": VERSION,
        "project": report.project,
        "model": report.model,
        "schema": report.schema,
        "dialect": report.dialect,
        "created_at": report.created_at,
        "partial": report.partial,
        "suites": {suite.name: _suite_json(suite, outcomes) for suite in report.suites},
        "by_type": _shares_json(shares_by_type(report.outcomes)),
        "by_phase": _shares_json(shares_by_phase(report.outcomes)),
        "by_model": _shares_json(shares_by_model(report.outcomes)),
        "by_metric": _shares_json(shares_by_metric(report.outcomes)),
        "causes": _causes_json(report.outcomes),
        "calibration": _calibration_json(report.calibration),
        "comparison": _comparison_json(report),
        "latency_ms": _latency_json(report.outcomes),
        **{each.name: json.loads(each.content) for each in report.sections},
    }


def _suite_json(suite: SuiteReport, outcomes: bool) -> dict[str, object]:
    found: dict[str, object] = {
        "answerable": {
            **_share_json(suite.ex),
            "correct": suite.ex.correct,
            "refused": refused(suite.answerable),
        },
        "unanswerable": {
            "n": len(suite.unanswerable),
            "refused": refused(suite.unanswerable),
        },
        "by_type": _shares_json(suite.by_type),
        "causes": {cause: len(group) for cause, group in by_cause(suite.outcomes)},
        "broken_rules": sum(bool(each.broken_rules) for each in suite.outcomes),
        "style": sum(bool(each.style) for each in suite.outcomes),
        "calibration": _calibration_json(calibration(suite.outcomes)),
        "latency_ms": _latency_json(suite.outcomes),
        "instances": suite.instances,
        "partial": suite.partial,
        "issues": [
            {"level": str(each.level), "where": each.where, "message": each.message}
            for each in suite.issues
        ],
    }
    if outcomes:
        found["outcomes"] = [_outcome_json(each) for each in suite.outcomes]
    return found


def _share_json(share: Share) -> dict[str, object]:
    interval = share.interval
    return {
        "n": share.n,
        "ex": share.value,
        "interval": None if interval is None else list(interval),
    }


def _shares_json(shares: Iterable[tuple[str, Share]]) -> dict[str, object]:
    return {name: {**_share_json(share), "correct": share.correct} for name, share in shares}


def _causes_json(outcomes: Sequence[Outcome]) -> dict[str, object]:
    return {
        cause: {
            "n": len(group),
            "examples": [
                {
                    "question": each.item.question,
                    "golds": list(each.item.golds),
                    "sql": each.prediction.sql,
                    "detail": each.detail,
                }
                for each in group[:EXAMPLES]
            ],
        }
        for cause, group in by_cause(outcomes)
    }


def _calibration_json(found: Calibration) -> dict[str, object]:
    at = found.threshold
    return {
        "wanted": found.wanted,
        "threshold": None if at is None else at.confidence,
        "coverage": None if at is None else at.coverage,
        "curve": [[each.confidence, each.coverage, each.risk] for each in found.curve],
    }


def _comparison_json(report: Report) -> dict[str, object] | None:
    if report.baseline is None or report.comparison is None:
        return None
    found = report.comparison
    return {
        "model": report.baseline.model,
        "created_at": report.baseline.created_at,
        "before": _share_json(found.before),
        "now": _share_json(found.now),
        "regressions": [_change_json(each) for each in found.regressions],
        "gains": [_change_json(each) for each in found.gains],
    }


def _change_json(change: Change) -> dict[str, object]:
    return {
        "suite": change.suite,
        "question": change.now.item.question,
        "before": {"sql": change.before.sql, "cause": change.before.cause},
        "now": {"sql": change.now.prediction.sql, "cause": change.now.cause},
    }


def _latency_json(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    values = latencies(outcomes)
    return {"p50": percentile(values, 0.5), "p95": percentile(values, 0.95)}


def _outcome_json(outcome: Outcome) -> dict[str, object]:
    item, prediction = outcome.item, outcome.prediction
    return {
        "id": item.id,
        "question": item.question,
        "type": item.type,
        "phase": item.phase,
        "metrics": list(item.metrics),
        "models": list(outcome.models),
        "answerable": item.answerable,
        "golds": list(item.golds),
        "status": prediction.status,
        "sql": prediction.sql,
        "confidence": prediction.confidence,
        "latency_ms": prediction.latency_ms,
        "reason": prediction.reason,
        "parses": outcome.parses,
        "binds": outcome.binds,
        "executes": outcome.executes,
        "equal": list(outcome.equal),
        "told_apart": outcome.told_apart,
        "correct": outcome.correct,
        "cause": outcome.cause,
        "detail": outcome.detail,
        "broken_rules": list(outcome.broken_rules),
        "style": list(outcome.style),
        "cost": _cost_json(outcome.cost),
        "gold_cost": _cost_json(outcome.gold_cost),
    }


def _cost_json(cost: Cost | None) -> dict[str, object] | None:
    return None if cost is None else {"rows": cost.rows, "ms": cost.ms}
