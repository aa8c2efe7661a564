"""How many per cent something grew by, from one time to another."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from functools import partial

from dateutil.relativedelta import relativedelta

from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query.frames.frame import PERCENT, Frame, the_measure, tidy
from dbt_t2s.query.period import Days, Period
from dbt_t2s.query.periods import periods_in
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
_PERCENT = re.compile(rf"(?<!\w){PERCENT}(?!\w)", re.IGNORECASE)
_LINKED = r"(?:compared\s+(?:to|with)|over|than|vs\.?|versus|against|on)\s+(?:in\s+|that\s+of\s+)?"
_SAME = r"(?:the\s+)?(?:same\s+(?:period|month|quarter|week|time|days?)\s+)?(?:(?:of|in)\s+)?"


def _before(unit: str, short: str) -> re.Pattern[str]:
    """What compares with the ``unit`` before, or with the same period of it."""
    letters = "|".join(short.split())
    return re.compile(
        rf"\b(?:{unit}[\s-]+(?:over|on)[\s-]+{unit}|{letters})\b|"
        rf"\b{_LINKED}{_SAME}(?:the\s+{unit}\s+before|(?:the\s+)?(?:previous|prior|preceding)\s+{unit}|"
        rf"an?\s+{unit}\s+(?:before|earlier|ago))\b",
        re.IGNORECASE,
    )


_YEAR_BEFORE = _before("year", "yoy y/y y-o-y")
_A_YEAR = {"MONTH": 12, "QUARTER": 4}
_STEPS = (
    (_YEAR_BEFORE, relativedelta(years=1), 366),
    (_before("quarter", "qoq q/q q-o-q"), relativedelta(months=3), 92),
    (_before("month", "mom m/m m-o-m"), relativedelta(months=1), 31),
    (_before("week", "wow w/w w-o-w"), relativedelta(weeks=1), 7),
)
# The time is open at one end: no single one is compared.
_OPEN = re.compile(r"\b(?:since|until|till|before|after|from|by)\s*$", re.IGNORECASE)
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
    r"calculate|compute)\b",
    re.IGNORECASE,
)
_LEFT_ALONE = re.compile(
    r"\b(?:which|who|whose|how|what|why|list|names?|top|share)\b", re.IGNORECASE
)
_MOST_WORDS = 9
_HELD = "\x00"  # stands for a period


def growth(text: str, today: date, fiscal: FiscalYear | None) -> Frame | None:
    """The change of one thing between two times, as a share of what it was at the earlier one."""
    if not _CHANGES.search(text):
        return None
    if each := _EACH_TIME.search(text):
        return _each_time(text, each[0].lower())
    periods, spans = _compared(text, today, fiscal)
    subject = _subject(text, periods) if spans else ""
    if spans is None or not subject:
        return None
    later = max(periods, key=lambda period: period.first)
    core = f"{subject} in {_named(text, later)}"
    return Frame(core, partial(_around, earlier=_range(spans[0]), later=_range(spans[1])))


def _each_time(text: str, each: str) -> Frame | None:
    """The change of each month or quarter against that of the year before."""
    unit = next((unit for unit in _A_YEAR if unit.lower() in each), None)
    if unit is None or not _YEAR_BEFORE.search(text):
        return None
    core = tidy(
        re.sub(rf"\b{_NOUN}\b(?:\s+(?:of|in))?", " ", _YEAR_BEFORE.sub(" ", text), flags=re.I)
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


def _compared(
    text: str, today: date, fiscal: FiscalYear | None
) -> tuple[list[Period], tuple[Days, Days] | None]:
    """The times that are named, and the two that are compared, the earlier one first."""
    for said, step, most in _STEPS:
        if said.search(text):
            alone = said.sub(lambda found: " " * len(found[0]), text)
            periods = periods_in(alone, today, fiscal)
            if len(periods) != 1 or _is_open(periods[0]) or _OPEN.search(text[: periods[0].start]):
                return periods, None
            first, after = periods[0].first, periods[0].after
            able = (after - first).days <= most
            return periods, ((first - step, after - step), (first, after)) if able else None
    periods = periods_in(text, today, fiscal)
    spans = sorted((period.first, period.after) for period in periods)
    apart = len(spans) == 2 and not any(map(_is_open, periods)) and spans[0][1] <= spans[1][0]
    return periods, (spans[0], spans[1]) if apart and _PERCENT.search(text) else None


def _is_open(period: Period) -> bool:
    return period.unread or period.needs_edge or bool(period.edge)


def _subject(text: str, periods: list[Period]) -> str:
    """What grew: the words that are left without the frame's and the times."""
    held = text
    for period in reversed(periods):
        held = held[: period.start] + _HELD + held[period.end :]
    for said, _, _ in _STEPS:
        held = said.sub(" ", held)
    held = re.sub(
        rf"(?:\b{_LINKS}\s+)*(?:the\s+)?{_HELD}(?:['’]s)?", " ", held, flags=re.IGNORECASE
    )
    left = tidy(_ASKS.sub(" ", _FRAME.sub(" ", held)))
    left = tidy(re.sub(rf"^(?:{_LINKS}\s+)+|(?:\s+{_LINKS})+$", "", left, flags=re.IGNORECASE))
    told = bool(left) and not _LEFT_ALONE.search(left) and len(left.split()) <= _MOST_WORDS
    return left if told else ""


def _named(text: str, period: Period) -> str:
    return text[period.start : period.end]


def _range(days: Days) -> Range:
    return Range(days[0].isoformat(), days[1].isoformat())


def _around(plan: Plan, earlier: Range, later: Range) -> Plan | None:
    """The plan of what it was at the later time, as its growth."""
    measure = _counted(plan)
    if measure is None or plan.having or plan.limit or plan.distinct:
        return None
    spans = [pred for pred in plan.where if isinstance(pred, During)]
    if any(pred.range != later for pred in spans):
        return None
    of = spans[0].of if spans else Time()
    then, now = (Only(measure, During(of, span)) for span in (earlier, later))
    grown = Arithmetic("DIV", Arithmetic("SUB", now, then), then)
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
