"""A validation's results as JUnit XML, which CI servers show."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from dbt_t2s.judge.outcomes import Outcome, latencies
from dbt_t2s.judge.report import Report

# What XML 1.0 cannot hold even when escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: Report) -> str:
    """JUnit XML: a test suite per test set, a test case per question."""
    root = ElementTree.Element("testsuites", name=xml_text(f"dbt-t2s {report.project}".strip()))
    for suite in report.suites:
        failures = sum(not each.correct for each in suite.outcomes)
        total = sum(latencies(suite.outcomes)) / 1000
        node = ElementTree.SubElement(
            root,
            "testsuite",
            name=xml_text(suite.name),
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


def _case(node: ElementTree.Element, suite: str, outcome: Outcome) -> None:
    item = outcome.item
    case = ElementTree.SubElement(
        node,
        "testcase",
        classname=xml_text(f"{suite}.{item.type}"),
        name=xml_text(f"{item.id}: {item.question}"),
    )
    if outcome.prediction.latency_ms is not None:
        case.set("time", f"{outcome.prediction.latency_ms / 1000:.3f}")
    if outcome.correct:
        return
    message = f"{outcome.cause}: {outcome.detail}" if outcome.detail else outcome.cause
    failure = ElementTree.SubElement(case, "failure", type=outcome.cause, message=xml_text(message))
    golds = "\n-- or\n".join(item.golds) or "(a refusal)"
    failure.text = xml_text(f"expected:\n{golds}\n\ngiven:\n{outcome.prediction.sql or '(no SQL)'}")


def xml_text(text: str) -> str:
    """Text without what XML 1.0 cannot hold."""
    return _NOT_XML.sub("�", text)
