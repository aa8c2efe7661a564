"""A validation's results for machines (JSON, JUnit) and as lines for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from dbt_t2s.judge.share import Share, percentile
from dbt_t2s.judge.validate import Outcome, SuiteReport, shares_by_type

VERSION = 1
# What XML 1.0 cannot hold even when escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Report:
    """One validation of one model: ``schema`` is the fingerprint it was validated against.

    ``created_at`` is an ISO time, ``model`` what the model calls itself.
    """

    suites: tuple[SuiteReport, ...]
    project: str = ""
    model: str = ""
    schema: str = ""
    dialect: str = "duckdb"
    created_at: str = ""

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(each for suite in self.suites for each in suite.outcomes)


def to_json(report: Report) -> dict[str, object]:
    """The content of report.json; ``refused`` and ``n`` are counts, ``ex`` a share or null."""
    return {
        "version": VERSION,
        "project": report.project,
        "model": report.model,
        "schema": report.schema,
        "dialect": report.dialect,
        "created_at": report.created_at,
        "suites": {suite.name: _suite_json(suite) for suite in report.suites},
        "by_type": _types_json(shares_by_type(report.outcomes)),
        "latency_ms": _latency_json(report.outcomes),
    }


def to_junit(report: Report) -> str:
    """JUnit XML: a test suite per test set, a test case per question."""
    root = ElementTree.Element("testsuites", name=_xml(f"dbt-t2s {report.project}".strip()))
    for suite in report.suites:
        failures = sum(not each.correct for each in suite.outcomes)
        total = sum(each.prediction.latency_ms for each in suite.outcomes) / 1000
        node = ElementTree.SubElement(
            root,
            "testsuite",
            name=_xml(suite.name),
            tests=str(len(suite.outcomes)),
            failures=str(failures),
            errors="0",
            time=f"{total:.3f}",
        )
        for outcome in suite.outcomes:
            _case(node, suite.name, outcome)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def to_lines(report: Report, wrong: int = 10) -> tuple[str, ...]:
    """What a person wants to know first, as plain lines; at most ``wrong`` wrong answers."""
    lines: list[str] = []
    for suite in report.suites:
        lines += _suite_lines(suite, wrong)
    return tuple(lines)


def percent(share: Share) -> str:
    """``83.3% (95%: 70.4–91.3%)``, or a dash where nothing was counted."""
    value, interval = share.value, share.interval
    if value is None or interval is None:
        return "–"
    return f"{value:.1%} (95%: {interval[0] * 100:.1f}–{interval[1]:.1%})"


def _suite_json(suite: SuiteReport) -> dict[str, object]:
    return {
        "answerable": {
            **_share_json(suite.ex),
            "correct": suite.ex.correct,
            "refused": _refused(suite.answerable),
        },
        "unanswerable": {
            "n": len(suite.unanswerable),
            "refused": _refused(suite.unanswerable),
        },
        "by_type": _types_json(suite.by_type),
        "latency_ms": _latency_json(suite.outcomes),
        "instances": suite.instances,
        "issues": [
            {"level": str(each.level), "where": each.where, "message": each.message}
            for each in suite.issues
        ],
        "outcomes": [_outcome_json(each) for each in suite.outcomes],
    }


def _share_json(share: Share) -> dict[str, object]:
    interval = share.interval
    return {
        "n": share.n,
        "ex": share.value,
        "interval": None if interval is None else list(interval),
    }


def _types_json(types: Iterable[tuple[str, Share]]) -> dict[str, object]:
    return {name: {**_share_json(share), "correct": share.correct} for name, share in types}


def _latency_json(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    values = [each.prediction.latency_ms for each in outcomes]
    return {"p50": percentile(values, 0.5), "p95": percentile(values, 0.95)}


def _outcome_json(outcome: Outcome) -> dict[str, object]:
    item, prediction = outcome.item, outcome.prediction
    return {
        "id": item.id,
        "question": item.question,
        "type": item.type,
        "answerable": item.answerable,
        "golds": list(item.golds),
        "status": prediction.status,
        "sql": prediction.sql,
        "confidence": prediction.confidence,
        "latency_ms": prediction.latency_ms,
        "reason": prediction.reason,
        "parses": outcome.parses,
        "executes": outcome.executes,
        "correct": outcome.correct,
        "cause": outcome.cause,
        "detail": outcome.detail,
    }


def _case(node: ElementTree.Element, suite: str, outcome: Outcome) -> None:
    item = outcome.item
    case = ElementTree.SubElement(
        node,
        "testcase",
        classname=_xml(f"{suite}.{item.type}"),
        name=_xml(f"{item.id}: {item.question}"),
        time=f"{outcome.prediction.latency_ms / 1000:.3f}",
    )
    if outcome.correct:
        return
    message = f"{outcome.cause}: {outcome.detail}" if outcome.detail else outcome.cause
    failure = ElementTree.SubElement(case, "failure", type=outcome.cause, message=_xml(message))
    golds = "\n-- or\n".join(item.golds) or "(a refusal)"
    failure.text = _xml(f"expected:\n{golds}\n\ngiven:\n{outcome.prediction.sql or '(no SQL)'}")


def _xml(text: str) -> str:
    return _NOT_XML.sub("�", text)


def _suite_lines(suite: SuiteReport, wrong: int) -> list[str]:
    lines = [
        f"{suite.name}: execution accuracy {percent(suite.ex)},"
        f" {suite.ex.correct} of {suite.ex.n} answerable questions"
        f" on {suite.instances} instance{'s' if suite.instances != 1 else ''}"
    ]
    if suite.unanswerable:
        lines.append(
            f"  refused rightly: {_refused(suite.unanswerable)} of {len(suite.unanswerable)};"
            f" wrongly: {_refused(suite.answerable)} of {len(suite.answerable)}"
        )
    middle, slow = suite.latency_ms(0.5), suite.latency_ms(0.95)
    if middle is not None and slow is not None:
        lines.append(f"  latency: {middle:.0f} ms median, {slow:.0f} ms at the 95th percentile")
    width = max((len(name) for name, _ in suite.by_type), default=0)
    lines += [
        f"  {name:<{width}}  {share.correct:>3} of {share.n:<3}  {percent(share)}"
        for name, share in suite.by_type
    ]
    failed = [each for each in suite.outcomes if not each.correct]
    for each in failed[:wrong]:
        lines.append(f"  wrong: {each.item.question}  [{each.cause}]")
    if len(failed) > wrong:
        lines.append(f"  and {len(failed) - wrong} more wrong answers in the report")
    lines += [f"  {each.level}: {each.where}: {each.message}" for each in suite.issues]
    return lines


def _refused(outcomes: Iterable[Outcome]) -> int:
    return sum(each.prediction.status == "refused" for each in outcomes)
