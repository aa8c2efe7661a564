"""Periods that a text names: days, weeks, months, quarters, years, decades and holidays.

A period without a year is the latest one that has begun by ``today``; rolling windows ("last 30
days") start that long before today and include it. What can honestly mean two things ("early
2024", "summer of 2024", "3/5/2024") is left unread, and so is the year in it.
"""

from __future__ import annotations

import re
from datetime import date

from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query import parts
from dbt_t2s.query.calendar import MONTH, count_of, plain_name
from dbt_t2s.query.days import DAYS
from dbt_t2s.query.fiscal import FISCAL, fiscal_phrases
from dbt_t2s.query.months import IN_MONTH, MONTHS, YEARS
from dbt_t2s.query.period import Days, Left, Period, Phrase, unread
from dbt_t2s.query.relative import AGO, RELATIVE, rolling, whole
from dbt_t2s.query.unread import UNREAD

PHRASES = (*UNREAD, *AGO, *IN_MONTH, *DAYS, *MONTHS, *RELATIVE, *YEARS)
_NEEDED = frozenset(phrase.needs for phrase in (*fiscal_phrases(None), *PHRASES))
_NEAR = 32  # characters beside a word that tell whether it is a month
_YEARLY = frozenset(("day", "days", "week", "weeks", "month", "quarter", "half", "holiday"))
_YEARLY |= {f"{FISCAL} part"}
_DATED = ("year", "short", "relative", "way")  # groups that say which year is meant
_WORDS_TOO = ("may", "march", "mar", "sep", "dec", "jan")
_PREPOSITION = re.compile(
    r"(?:\b(?:in|of|since|during|for|until|till|from|to|and|by|last|before|after|between)\s+)$",
    re.IGNORECASE,
)
_BESIDE = r"(?:-|–|—|/|&|,|\b(?:to|through|thru|and|until|till|vs\.?|versus)\b)\s*"
_MONTH_FOLLOWS = re.compile(rf"\s*{_BESIDE}(?:the\s+)?{MONTH}", re.IGNORECASE)
_MONTH_BEFORE = re.compile(rf"\b{MONTH}\s*[-–—/&,]\s*$", re.IGNORECASE)
_DOES = re.compile(r"\s+(?:i|we|you|they|he|she|it|be|have|not)\b", re.IGNORECASE)
# "May sales by shop", "the top 5 may orders"; but "how may orders" is a slip for "how many orders".
_MEASURED = (
    r"(?:orders?|sales|revenues?|turnover|income|takings|bookings|invoices|payments|sign-?ups|"
    r"figures|numbers|results|totals?|costs|spend(?:ing)?|expenses|profits?|earnings|fees|refunds|"
    r"returns|shipments|deliveries|visits|sessions|tickets|downloads|installs|logins|leads|deals|"
    r"churn|traffic|budget|forecast|payroll|volumes?)"
)
_MEASURE_FOLLOWS = re.compile(
    rf"\s+{_MEASURED}\s*(?:$|[?.!,;:)\"'”]|\b(?:by|per|for|from|in|of|vs\.?|versus|with|without|and|"
    r"against|compared|broken|split|grouped|across|over|above|below|under|to)\b)",
    re.IGNORECASE,
)
_ASKED_OF = re.compile(
    r"(?:^|[,;:(]|\b(?:show|list|give|get|me|us|all|our|the|total|average|compare|what|were|was|are|is|"
    r"of|for|vs\.?|versus|with|than|and|\d+))\s*$",
    re.IGNORECASE,
)
_SOMEBODY = re.compile(r"\b(?:who|which|that|you|we|they|i)\s+$", re.IGNORECASE)


def periods_in(text: str, today: date, fiscal: FiscalYear | None = None) -> list[Period]:
    """The periods that a text names, in order, none overlapping another; unread ones among them."""
    taken: list[Period] = []
    covered = bytearray(len(text))
    lowered = text.lower()
    held = {needs: any(each in lowered for each in needs) for needs in _NEEDED}
    for phrase in (*fiscal_phrases(fiscal), *PHRASES):
        if phrase.needs and not held[phrase.needs]:
            continue
        for found in phrase.pattern.finditer(text):
            start, end = found.span()
            if covered.find(1, start, end) >= 0:
                continue
            if _is_month_may(text, found) and (made := _period(phrase, found, today)):
                taken.append(made)
                covered[start:end] = b"\1" * (end - start)
    return parts.composed(text, sorted(taken, key=lambda p: p.start))


def _period(phrase: Phrase, found: re.Match[str], today: date) -> Period | None:
    start, end = found.span()
    try:
        read = phrase.read(found, today)
        also = _also(phrase, found, today)
    except (ValueError, OverflowError):
        read, also = Left.UNREAD, ()  # beyond the calendar: year 0, or far after 9999
    if read is None:
        return None
    if isinstance(read, Left):
        return unread(start, end, phrase.kind if phrase.kind.startswith(FISCAL) else "")
    groups = found.groupdict()
    kind = "year" if phrase.kind == "told" and groups["unit"].lower() == "year" else phrase.kind
    return Period(
        *read,
        start,
        end,
        kind,
        yearless=kind in _YEARLY and not any(groups.get(each) for each in _DATED),
        needs_edge=phrase.kind == "unit",
        also=also,
        relative=phrase.kind == "told",
        name=plain_name(groups["name"]) if phrase.kind == "holiday" else "",
    )


def _also(phrase: Phrase, found: re.Match[str], today: date) -> tuple[Days, ...]:
    """The last 3 quarters are also those before this one, the past month also 30 days or so."""
    groups = found.groupdict()
    if phrase.kind == "rolling" and groups["unit"].lower() == "quarter" and not groups["full"]:
        return (whole("quarter", count_of(groups["count"]), today),)
    if phrase.kind == "told" and groups["way"].lower() == "past":
        return (rolling(groups["unit"].lower(), 1, today),)
    return ()


def _is_month_may(text: str, found: re.Match[str]) -> bool:
    """ "may" and "march" are words too: they are months with a year, a preposition or a capital.

    They are before what is measured, too: "may sales by shop"; "march orders" may be told to march.
    """
    groups = found.groupdict()
    name = groups.get("name") or ""
    if name.lower() not in _WORDS_TOO:
        return True
    start, end = found.span()
    near = max(start - _NEAR, 0)
    if name.lower() == "may":
        if _SOMEBODY.search(text, near, start) or _DOES.match(text, end):
            return False
        if name.islower() and (groups.get("way") or "").lower() in ("this", "next"):
            return False  # "this may be"
    if any(groups.get(part) for part in ("year", "short", "day", "first", "relative", "way")):
        return True
    leads = not text[near:start].strip()
    if not leads and not text[end : end + _NEAR].strip(" ?.!,"):
        return True  # a verb is not the last word: "aov may"
    if _MONTH_FOLLOWS.match(text, end) or _MONTH_BEFORE.search(text, near, start):
        return True
    if _PREPOSITION.search(text, near, start) or (name[0].isupper() and not leads):
        return True
    measured = name.lower() != "march" and _MEASURE_FOLLOWS.match(text, end)
    return bool(measured and _ASKED_OF.search(text, near, start))
