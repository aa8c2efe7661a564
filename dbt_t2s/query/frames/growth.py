"""How many per cent something grew by, from one time to another."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from functools import partial

from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query.frames.compared import YEAR_BEFORE, compared, range_of, without_times
from dbt_t2s.query.frames.frame import PERCENT, Frame, the_measure, tidy
from dbt_t2s.query.period import Period
from dbt_t2s.query.plan import (
    Arithmetic,
    Bucket,
    Col,
    Count,
    Dim,
    During,
    Measure,
    Only,
    Plan,
    Range,
    Rolling,
    Time,
    Wrapped,
)

_VERB = (
    r"(?:grow|grew|grown|rise|rose|risen|increased?|changed?|fall|fell|fallen|drop(?:ped)?|declined?|"
    r"decreased?|shr[aiu]nk|(?:go|gone|went)\s+(?:up|down)|develop(?:ed)?)"
)
_NOUN = r"(?:growth(?:\s+rate)?|increase|change|rise|fall|drop|decline|decrease|difference|gain)"
_MORE = r"(?:higher|lower|more|less|fewer|greater|bigger|smaller|up|down)"
_CHANGES = re.compile(rf"\b(?:{_VERB}|{_NOUN}|{_MORE})\b", re.IGNORECASE)
_SO_MUCH = re.compile(r"\b(?:how\s+(?:much|many)|by\s+how\s+much)\s+(?:more|less|fewer)\b", re.I)
_PERCENT = re.compile(rf"(?<!\w){PERCENT}(?!\w)", re.IGNORECASE)
# One number is asked for, not a number for each time.
_EACH_TIME = re.compile(
    r"\b(?:(?:by|per|each|every|for\s+(?:each|every))\s+(?:day|week|month|quarter|year)|"
    r"monthly|weekly|daily|quarterly|yearly|annual(?:ly)?)\b",
    re.IGNORECASE,
)
_LINKS = (
    r"(?:compared\s+(?:to|with)|relative\s+to|versus|vs\.?|against|than|over|from|to|between|and|in|"
    r"for|during|of|on)"
)
_FRAME = re.compile(
    rf"\bby\s+(?:what|how\s+many|how\s+much)\s+{PERCENT}(?:\s+points?)?|"
    rf"\b(?:what|how\s+many)\s+{PERCENT}|\bwhat\s+(?:is|was|were)\s+the\b|\bhow\s+much\b|\bby\s+how\s+much\b|"
    rf"\b(?:in|as\s+an?)\s+{PERCENT}(?:\s+terms)?|(?<!\w){PERCENT}(?!\w)(?:\s+of)?|"
    rf"\brelative(?:ly)?\b|\b{_NOUN}\b(?:\s+(?:of|in|for))?|\b{_VERB}\b|\b{_MORE}\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:did|does|do|have|has|was|were|is|are|be|been|our|the|please|show(?:\s+me)?|give(?:\s+me)?|tell\s+me|"
    r"calculate|compute|we\s+(?:make|made|have|had|get|got|earn(?:ed)?|take|took|bring\s+in))\b",
    re.IGNORECASE,
)
_LEFT_ALONE = re.compile(
    r"\b(?:which|who|whose|how|what|why|list|names?|top|share)\b", re.IGNORECASE
)
_MOST_WORDS = 9
_HELD = "\x00"  # stands for a period
_A_YEAR = {"MONTH": 12, "QUARTER": 4}


def growth(text: str, today: date, fiscal: FiscalYear | None) -> Frame | None:
    """The change of one thing between two times, as a share of what it was at the earlier one."""
    if not _CHANGES.search(text):
        return None
    if each := _EACH_TIME.search(text):
        return _each_time(text, each[0].lower())
    times = compared(text, today, fiscal)
    if times.earlier is None or times.later is None or (times.both and not _PERCENT.search(text)):
        return None
    subject = _subject(text, times.periods)
    if not subject:
        return None
    named = max(times.periods, key=lambda period: period.first)
    core = f"{subject} in {text[named.start : named.end]}"
    earlier, later = range_of(times.earlier), range_of(times.later)
    by = "SUB" if _SO_MUCH.search(text) and not _PERCENT.search(text) else "DIV"
    return Frame(core, partial(_around, earlier=earlier, later=later, by=by))


def _each_time(text: str, each: str) -> Frame | None:
    """The change of each month or quarter against that of the year before."""
    unit = next((unit for unit in _A_YEAR if unit.lower() in each), None)
    if unit is None or not YEAR_BEFORE.search(text):
        return None
    core = tidy(
        re.sub(rf"\b{_NOUN}\b(?:\s+(?:of|in))?", " ", YEAR_BEFORE.sub(" ", text), flags=re.I)
    )
    return Frame(core, partial(_over_a_year, unit=unit))


def _over_a_year(plan: Plan, unit: str) -> Plan | None:
    """The plan of each period's figure, as its change against the same period a year before."""
    measure = _counted(plan) if the_measure(plan) else None
    by = [each.grain for each in plan.select if isinstance(each, Bucket)]
    if measure is None or by != [unit] or plan.having or plan.limit:
        return None
    change = Rolling("CHANGE_OVER", str(_A_YEAR[unit]), measure)
    return replace(plan, select=(*(e for e in plan.select if isinstance(e, Dim)), change))


def _subject(text: str, periods: tuple[Period, ...]) -> str:
    """What grew: the words that are left without the frame's and the times."""
    held = without_times(text, periods, _HELD)
    held = re.sub(
        rf"(?:\b{_LINKS}\s+)*(?:the\s+)?{_HELD}(?:['’]s)?", " ", held, flags=re.IGNORECASE
    )
    left = tidy(_ASKS.sub(" ", _FRAME.sub(" ", held)))
    left = tidy(re.sub(rf"^(?:{_LINKS}\s+)+|(?:\s+{_LINKS})+$", "", left, flags=re.IGNORECASE))
    told = bool(left) and not _LEFT_ALONE.search(left) and len(left.split()) <= _MOST_WORDS
    return left if told else ""


def _around(plan: Plan, earlier: Range, later: Range, by: str) -> Plan | None:
    """The plan of what it was at the later time, as its growth."""
    measure = _counted(plan)
    if measure is None or plan.having or plan.limit or plan.distinct:
        return None
    spans = [pred for pred in plan.where if isinstance(pred, During)]
    if any(pred.range.start != later.start for pred in spans):
        return None
    of = spans[0].of if spans else Time()
    then, now = (Only(measure, During(of, span)) for span in (earlier, later))
    more = Arithmetic("SUB", now, then)
    grown = more if by == "SUB" else Arithmetic("DIV", more, then)
    dims = tuple(e for e in plan.select if isinstance(e, Dim) and not isinstance(e, Bucket))
    where = tuple(pred for pred in plan.where if pred not in spans)
    kept = dims if the_measure(plan) else ()
    return replace(plan, select=(*kept, grown), where=where, order=None)


def _counted(plan: Plan) -> Measure | None:
    """What the plan measures; how many rows it lists where it measures nothing."""
    if not plan.select or all(isinstance(each, Dim) for each in plan.select):
        first = plan.select[0] if plan.select else None
        return Count(first.table) if isinstance(first, Col) else None
    found = the_measure(plan)
    while isinstance(found, Wrapped | Only):
        found = found.of
    return found
