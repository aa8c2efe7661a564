"""A check's findings for a person, a pull request and machines: text, markdown, JSON, JUnit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from dbt_t2s.check.findings import Effect, Findings, Harm
from dbt_t2s.judge.junit import xml_text
from dbt_t2s.project.diff import Change, Weight

_SHOWN_CHANGES, _SHOWN_EFFECTS, _SHOWN_UNPROVEN = 30, 10, 5
_AROUND = 30  # characters of evidence on each side of a difference
# A comment on a pull request is read whole or not at all.
_COMMENT_CHANGES, _COMMENT_EFFECTS, _COMMENT_UNPROVEN = 20, 8, 3


def headline(found: Findings) -> str:
    """One line: how many changes of which weight, and what they do."""
    if not found.changes:
        more = f" ({found.accepted:,} accepted before)" if found.accepted else ""
        known = ", as far as could be compared" if found.unproven else ""
        return f"{found.project}: nothing changed that questions depend on{known}{more}"
    counts = [f"{len(found.of(each)):,} {each.value}" for each in Weight if found.of(each)]
    harmed = [f"{len(found.harmed(each)):,} {each.value}" for each in Harm if found.harmed(each)]
    looked = f"{found.examples:,} examples and {found.asked:,} questions of people"
    effect = f"of {looked}: {', '.join(harmed)}" if harmed else f"none of {looked} is harmed"
    changes = "change" if len(found.changes) == 1 else "changes"
    return f"{found.project}: {', '.join(counts)} {changes}; {effect}"


def model_line(found: Findings) -> str:
    """Whether the model still fits, and what mends it."""
    if found.stale is None:
        return "there is no trained model here: dbt-t2s train"
    if found.stale:
        lacks = []
        if found.unknown:
            lacks.append(f"never met {len(found.unknown):,} names ({_named(found.unknown)})")
        if found.gone:
            lacks.append(f"learned {len(found.gone):,} that are gone ({_named(found.gone)})")
        what = f": it {' and '.join(lacks)}" if lacks else ", of the same names"
        return f"the model was trained on another schema{what}; next: dbt-t2s train, or --fix here"
    return "the model was trained on this schema"


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


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
        "model_never_met": list(found.unknown),
        "model_knows_and_gone": list(found.gone),
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
    """JUnit XML: a test case per change, and one per test question that broke.

    What makes the check fail for ``failing`` is a failure here, too, and nothing else is.
    """
    root = ElementTree.Element("testsuites", name=xml_text(f"dbt-t2s check {found.project}"))
    _suite(root, "changes", [_change_case(each, failing) for each in found.changes])
    broken = found.broken_tests
    fails = bool({"breaking", "degrading"} & set(failing))
    _suite(root, "test questions", [_question_case(each, fails) for each in broken])
    if found.stale is not None:
        _suite(root, "model", [_model_case(found, "stale" in failing and found.stale)])
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(root: ElementTree.Element, name: str, cases: Sequence[ElementTree.Element]) -> None:
    failures = sum(case.find("failure") is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    ElementTree.SubElement(root, "testsuite", {"name": name, **counts}).extend(cases)


def _change_case(change: Change, failing: Sequence[str]) -> ElementTree.Element:
    weight = change.weight.value
    # A failing check of degrading changes fails on breaking ones, too.
    fails = weight in failing or (weight == "breaking" and "degrading" in failing)
    case = _case(change.code, change.message, weight if fails else "")
    if change.path:
        case.set("file", xml_text(change.path))
    for node in case:  # some servers show the text alone, others the message alone
        node.text = xml_text(f"{change.message}\nbefore: {change.before}\nafter: {change.after}")
    return case


def _question_case(effect: Effect, fails: bool) -> ElementTree.Element:
    case = _case(effect.source, effect.question, effect.harm.value if fails else "")
    for node in case:
        node.text = xml_text(f"{effect.question}: {effect.reason}\n{effect.before}")
    return case


def _model_case(found: Findings, fails: bool) -> ElementTree.Element:
    return _case("model", model_line(found) if fails else "the model", "stale" if fails else "")


def _case(group: str, name: str, failure: str) -> ElementTree.Element:
    """A test case; where there is a kind of ``failure``, it failed."""
    case = ElementTree.Element("testcase", classname=group, name=xml_text(name))
    if failure:
        node = ElementTree.SubElement(case, "failure", type=failure, message=xml_text(name))
        node.text = xml_text(name)
    return case
