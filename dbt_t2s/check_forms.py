"""A check's findings for a person, a pull request and machines: text, markdown, JUnit, SARIF."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from dbt_t2s import __version__
from dbt_t2s.check_findings import Effect, Findings, Harm
from dbt_t2s.judge.junit import xml_text
from dbt_t2s.project.diff import CODES, Change, Weight

_SHOWN_CHANGES, _SHOWN_EFFECTS, _SHOWN_UNPROVEN = 30, 10, 5
_AROUND = 30  # characters of evidence on each side of a difference
# A comment on a pull request is read whole or not at all.
_COMMENT_CHANGES, _COMMENT_EFFECTS, _COMMENT_UNPROVEN = 20, 8, 3
_SARIF_LEVELS = {
    Weight.BREAKING: "error",
    Weight.DEGRADING: "warning",
    Weight.IMPROVING: "note",
    Weight.NEUTRAL: "note",
}
_GITHUB_LEVELS = {Weight.BREAKING: "error", Weight.DEGRADING: "warning"}


def headline(found: Findings) -> str:
    """One line: how many changes of which weight, and what they do."""
    if not found.changes:
        more = f" ({found.accepted:,} accepted before)" if found.accepted else ""
        return f"{found.project}: nothing changed that questions depend on{more}"
    counts = [f"{len(found.of(each)):,} {each.value}" for each in Weight if found.of(each)]
    harmed = [f"{len(found.harmed(each)):,} {each.value}" for each in Harm if found.harmed(each)]
    looked = f"{found.examples:,} examples and {found.asked:,} questions of people"
    effect = f"of {looked}: {', '.join(harmed)}" if harmed else f"none of {looked} is harmed"
    return f"{found.project}: {', '.join(counts)} changes; {effect}"


def model_line(found: Findings) -> str:
    """Whether the model still fits, and what mends it."""
    if found.stale is None:
        return "there is no trained model here: dbt-t2s train"
    if found.stale:
        return "the model was trained on another schema: dbt-t2s train, or this check with --fix"
    return "the model was trained on this schema"


def to_lines(found: Findings) -> Iterator[str]:
    """For a terminal."""
    yield headline(found)
    for change in found.changes[:_SHOWN_CHANGES]:
        yield f"  {change.weight.value:<10}{change.code}  {change.message}"
        if change.before and change.after:
            was, now = _apart(change.before, change.after)
            yield f"{'':20}{was}  →  {now}"
    yield from _more(len(found.changes) - _SHOWN_CHANGES, "changes")
    for harm in Harm:
        effects = found.harmed(harm)
        if effects:
            yield f"  questions {harm.value}:"
        for effect in effects[:_SHOWN_EFFECTS]:
            yield f"    {effect.question} ({effect.source}): {effect.reason}"
        yield from _more(len(effects) - _SHOWN_EFFECTS, "questions")
    for each in found.unproven[:_SHOWN_UNPROVEN]:
        yield f"  not compared: {each}"
    yield from _more(len(found.unproven) - _SHOWN_UNPROVEN, "reasons")
    if not found.examples:
        yield "  no examples were looked at: none are generated yet (dbt-t2s generate)"
    yield model_line(found)


def _apart(before: str, after: str) -> tuple[str, str]:
    """Two texts in short, from a little before where they part."""
    one, other = (" ".join(text.split()) for text in (before, after))
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    start = max(same - _AROUND, 0)
    return _cut(one, start), _cut(other, start)


def _cut(text: str, start: int) -> str:
    end = start + 2 * _AROUND
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def _more(number: int, what: str) -> Iterator[str]:
    if number > 0:
        yield f"    and {number:,} more {what} (--json has them all)"


def to_json(found: Findings) -> dict[str, object]:
    return {
        "project": found.project,
        "changes": [_change(each) for each in found.changes],
        "accepted": found.accepted,
        "questions": [_effect(each) for each in found.effects],
        "examples": found.examples,
        "questions_of_people": found.asked,
        "not_compared": list(found.unproven),
        "not_asked_yet": list(found.unasked),
        "model_is_stale": found.stale,
    }


def _change(change: Change) -> dict[str, str]:
    return {
        "code": change.code,
        "class": change.weight.value,
        "what": change.what,
        "message": change.message,
        "before": change.before,
        "after": change.after,
        "path": change.path,
    }


def _effect(effect: Effect) -> dict[str, str]:
    return {
        "harm": effect.harm.value,
        "question": effect.question,
        "source": effect.source,
        "reason": effect.reason,
        "sql_before": effect.before,
        "sql_now": effect.after,
    }


def to_markdown(found: Findings) -> str:
    """A comment on a pull request; under 60 lines whatever the change."""
    lines = ["### dbt-t2s check", "", headline(found), ""]
    weighty = [c for c in found.changes if c.weight in (Weight.BREAKING, Weight.DEGRADING)]
    others = [c for c in found.changes if c not in weighty]
    shown = [*weighty, *others][:_COMMENT_CHANGES]
    if shown:
        lines += ["| | code | change |", "|---|---|---|"]
        lines += [f"| {c.weight.value} | {c.code} | {_cell(c.message)} |" for c in shown]
        if len(found.changes) > len(shown):
            lines.append(f"| | | and {len(found.changes) - len(shown):,} more |")
        lines.append("")
    for harm in Harm:
        effects = found.harmed(harm)
        if not effects:
            continue
        lines.append(f"**Questions {harm.value}** ({len(effects):,}):")
        lines += [
            f"- {_cell(each.question)}: {_cell(each.reason)}" for each in effects[:_COMMENT_EFFECTS]
        ]
        if len(effects) > _COMMENT_EFFECTS:
            lines.append(f"- and {len(effects) - _COMMENT_EFFECTS:,} more")
        lines.append("")
    if found.unproven:
        lines.append("**Not compared**:")
        lines += [f"- {_cell(each)}" for each in found.unproven[:_COMMENT_UNPROVEN]]
        if len(found.unproven) > _COMMENT_UNPROVEN:
            lines.append(f"- and {len(found.unproven) - _COMMENT_UNPROVEN:,} more")
        lines.append("")
    lines.append(model_line(found))
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    plain = " ".join(text.split()).replace("|", "\\|")
    return plain if len(plain) <= 160 else f"{plain[:157]}…"


def to_junit(found: Findings, failing: Sequence[str]) -> str:
    """JUnit XML: a test case per change; those of the ``failing`` weights fail."""
    root = ElementTree.Element("testsuites", name=xml_text(f"dbt-t2s check {found.project}"))
    failed = [each for each in found.changes if each.weight.value in failing]
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name="changes",
        tests=str(len(found.changes)),
        failures=str(len(failed)),
        errors="0",
    )
    for change in found.changes:
        case = ElementTree.SubElement(
            suite, "testcase", classname=change.code, name=xml_text(change.message)
        )
        if change in failed:
            node = ElementTree.SubElement(
                case, "failure", type=change.weight.value, message=xml_text(change.message)
            )
            node.text = xml_text(f"before: {change.before}\nafter: {change.after}")
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def to_sarif(found: Findings) -> str:
    """SARIF 2.1.0, which code hosts show beside the lines of a change."""
    rules = [
        {"id": code, "defaultConfiguration": {"level": _SARIF_LEVELS[weight]}}
        for code, weight in CODES.items()
    ]
    results = [
        {
            "ruleId": each.code,
            "level": _SARIF_LEVELS[each.weight],
            "message": {"text": each.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": each.path or "dbt_project.yml"},
                        "region": {"startLine": 1},
                    }
                }
            ],
        }
        for each in found.changes
    ]
    driver = {"name": "dbt-t2s", "version": __version__, "rules": rules}
    content = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def to_github(found: Findings) -> Iterator[str]:
    """Annotations of GitHub Actions: printed lines that it shows beside the changed files."""
    for each in found.changes:
        level = _GITHUB_LEVELS.get(each.weight)
        if level:
            place = f" file={_property(each.path)}," if each.path else " "
            yield f"::{level}{place}title={each.code}::{_message(each.message)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
