"""Questions that nobody could answer, grouped by what was missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from dbt_t2s.judge.suite import normal
from dbt_t2s.model.prompt import UNKNOWN_MISSING
from dbt_t2s.project.secrets import MASK
from dbt_t2s.query.text import STOP_WORDS, stem
from dbt_t2s.serve.cases import Case

EXAMPLES = 3
_NAMED = re.compile(r"is known as (.+)$", re.DOTALL)
_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")
UNNAMED = "what they ask together is not in the data"

# What refusals say that name nothing.
_SAYS_NOTHING = (
    "this project's data does not",
    "nothing in this project is known as",  # what it named is masked, or says nothing alone
    UNKNOWN_MISSING,
)
# How a refusal begins, and what such refusals are called.
_KINDS = (
    ("questions are read in English", "language", "questions in other languages"),
    ("this is a SQL statement", "form", "SQL in the place of a question"),
    ("the question has", "form", "questions that are too long"),
    ("empty question", "form", "questions without words"),
    ("not sure enough", "unsure", "the model was not sure enough"),
    ("nothing says when the fiscal year", "setting", "no fiscal_year_start is set"),
)


@dataclass(frozen=True)
class Group:
    """Questions without an answer for one reason.

    ``kind`` is missing (``what`` names it, as the refusals or people do), unnamed, unsure, failed,
    language, form or setting. ``asked`` counts the times, ``questions`` the different ones.
    """

    kind: str
    what: str
    asked: int
    questions: int
    first: date
    last: date
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Unanswered:
    """The groups, the most asked first; ``asked`` counts all questions without an answer.

    ``answered_later`` of them have one after all: a person gave it, or the model did at
    another time; they are in no group.
    """

    asked: int
    answered_later: int
    groups: tuple[Group, ...]


def unanswered(cases: Sequence[Case], everything: Sequence[Case] = ()) -> Unanswered:
    """What nobody could answer of ``cases``; answers may stand in ``everything``, too."""
    solved = {normal(c.asked.question) for c in (*cases, *everything) if _is_answered(c)}
    without = [case for case in cases if _is_open(case)]
    left = [case for case in without if normal(case.asked.question) not in solved]
    groups = [_group(kind, what, held) for (kind, what), held in _grouped(left).items()]
    groups.sort(key=lambda group: (-group.asked, group.what))
    return Unanswered(len(without), len(without) - len(left), tuple(groups))


def _is_open(case: Case) -> bool:
    """No answer, or one that should not have been given."""
    if case.said is not None and case.said.verdict == "should_refuse":
        return True
    return case.asked.status != "ok"


def _is_answered(case: Case) -> bool:
    if case.correction:
        return True
    return case.asked.status == "ok" and case.right is not False


def _grouped(left: Sequence[Case]) -> dict[tuple[str, str], list[Case]]:
    """Each question in one group: of the words it lacks, that which most others lack, too."""
    named = {case.asked.id: _missing(case.asked.reason) for case in left}
    groups: dict[tuple[str, str], list[Case]] = {}
    rest = []
    for case in left:
        if named[case.asked.id]:
            rest.append(case)
        else:
            groups.setdefault(_kind(case), []).append(case)
    while rest:
        lacking = Counter(s for case in rest for s in named[case.asked.id])
        most = min(lacking, key=lambda each: (-lacking[each], each))
        held = [case for case in rest if most in named[case.asked.id]]
        spoken = Counter(named[case.asked.id][most] for case in held)
        groups["missing", spoken.most_common(1)[0][0]] = held
        rest = [case for case in rest if most not in named[case.asked.id]]
    return groups


def _missing(reason: str) -> dict[str, str]:
    """What a refusal says is not there: stem → the word as it was said."""
    found = _NAMED.search(reason)
    said = [one or other for one, other in _QUOTED.findall(found.group(1))] if found else []
    plain = (word.lower() for word in said)
    return {stem(w): w for w in plain if w not in STOP_WORDS and w != MASK and not w.isdigit()}


def _kind(case: Case) -> tuple[str, str]:
    asked, said = case.asked, case.said
    if said is not None and said.verdict == "should_refuse" and said.note:
        return "missing", " ".join(said.note.split())[:80]
    if asked.status == "error":
        return "failed", f"no SQL that runs: {asked.reason.partition(':')[0]}"
    for begins, kind, what in _KINDS:
        if asked.reason.startswith(begins):
            return kind, what
    if asked.status == "ok":
        return "unnamed", "people say that the data does not hold it"
    if not asked.reason or asked.reason.startswith(_SAYS_NOTHING):
        return "unnamed", UNNAMED
    # Models that write their refusals say in their own words what is missing.
    return "missing", " ".join(asked.reason.split())[:80]


def _group(kind: str, what: str, cases: Sequence[Case]) -> Group:
    asked = dict.fromkeys(_shown(cases))
    days = [case.day for case in cases]
    return Group(
        kind,
        what,
        len(cases),
        len({normal(case.asked.question) for case in cases}),
        min(days),
        max(days),
        tuple(asked)[:EXAMPLES],
    )


def _shown(cases: Iterable[Case]) -> Iterable[str]:
    """The questions, each once, those asked most often first."""
    often = Counter(normal(case.asked.question) for case in cases)
    spoken = {normal(case.asked.question): case.asked.question for case in cases}
    return (spoken[each] for each, _ in often.most_common())
