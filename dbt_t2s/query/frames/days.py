"""Days of the week: "on Sundays", "at weekends", "weekends against working days"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from dbt_t2s.query.frames.frame import Frame, tidy
from dbt_t2s.query.plan import (
    DAYS_OF_WEEK,
    WEEKEND,
    Bucket,
    Col,
    During,
    Expr,
    Plan,
    Time,
    Weekdays,
    is_measure,
)

_WEEKEND = r"(?:(?:on|at|during)\s+)?(?:the\s+)?week-?ends?"
_WORKING = (
    r"(?:(?:on|during)\s+)?(?:the\s+)?"
    r"(?:week-?days?|work(?:ing)?\s*days?|business\s+days?|(?:working\s+)?week)"
)
_AGAINST = r"\s*(?:\bvs\.?|\bversus\b|\band\b|\bor\b|\bagainst\b|\bcompared\s+(?:to|with)\b|/)\s*"
_TWO = re.compile(
    rf"(?:\b(?:by|per|on|for|in|between|comparing|compare)\s+)?(?:\b{_WEEKEND}{_AGAINST}{_WORKING}\b|\b{_WORKING}{_AGAINST}{_WEEKEND}\b)",
    re.IGNORECASE,
)
_DAY = rf"(?:{'|'.join(DAYS_OF_WEEK)})"
_SOME = re.compile(
    rf"\b(?:on|at|over)\s+(?:(?:the\s+)?(?P<end>week-?ends)\b|the\s+(?P<the_end>week-?end)\b(?!\s+(?:of|before|after|from))"
    rf"|(?P<days>{_DAY}s(?:\s*(?:,|and|or|,\s*and)\s*{_DAY}s)*)\b|every\s+(?P<day>{_DAY})\b(?!\s+in\b))",
    re.IGNORECASE,
)
_WORDS = ("weekend", *map(str.lower, DAYS_OF_WEEK))


def on_days(text: str) -> Frame | None:
    """Days of some names alone, or weekends beside working days."""
    if found := _TWO.search(text):
        core = tidy(f"{text[: found.start()]} by weekday {text[found.end() :]}")
        return Frame(core, _as_weekend, _WORDS)
    found = _SOME.search(text)
    if found is None:
        return None
    core = tidy(text[: found.start()] + text[found.end() :])
    return Frame(core, partial(_on, days=_days(found)), _WORDS)


def _days(found: re.Match[str]) -> tuple[str, ...]:
    said = (found["days"] or found["day"] or "").lower()
    return tuple(day for day in DAYS_OF_WEEK if day.lower() in said) or DAYS_OF_WEEK[5:]


def _as_weekend(plan: Plan) -> Plan | None:
    """Weekends and the other days in the place of the seven days."""
    select = tuple(_two(each) for each in plan.select)
    if select == plan.select or plan.limit or plan.per:
        return None
    return replace(plan, select=select, order=None)


def _two(expression: Expr) -> Expr:
    if isinstance(expression, Bucket) and expression.grain == "DOW":
        return Bucket(WEEKEND, expression.of)
    return expression


def _on(plan: Plan, days: Sequence[str]) -> Plan | None:
    """The plan for those days alone, by the time that it tells already; rows that are listed may
    be open or shut on such days."""
    if not any(map(is_measure, plan.select)):
        return None
    told = [each.of for each in plan.where if isinstance(each, During)]
    told += [each.of for each in plan.select if isinstance(each, Bucket)]
    of: Col | Time = told[0] if told else Time()
    return replace(plan, where=(*plan.where, Weekdays(of, tuple(days))))
