"""Phrases with a date in them that mean none that can be told: their words are left unread.

Seasons and moving feasts, school years, "the same period last year", and so on.
"""

from __future__ import annotations

from dbt_t2s.query.calendar import A_DIGIT, A_UNIT, MONTH, SHORT_YEAR, UNITS, WEEKDAY, YEAR
from dbt_t2s.query.period import Phrase, unread_phrase

_YEARS = rf"(?:{YEAR}(?:\s?[/–-]\s?(?:\d\d){{1,2}})?|{SHORT_YEAR})"
_BEFORE = r"(?:last|previous|prior|next|past|this)"
_FEAST = (
    r"(?:thanksgiving|(?:mother|father)['’]?s['’]? day|labou?r day|memorial day|independence day|"
    r"ramadan|eid|diwali|hanukkah|passover|(?:chinese |lunar )?new year|prime day|may day|"
    r"mardi gras|pentecost|ascension day|super bowl|march madness)"
)

_SEASONS = ("spring", "summer", "autumn", "fall", "winter")
_SEASON = f"(?:{'|'.join(_SEASONS)})"
_SCHOOLS = ("academic", "school", "tax", "crop", "policy")
_SCHOOL = f"(?:{'|'.join(_SCHOOLS)})"

UNREAD: tuple[Phrase, ...] = (
    # How things stand, and not what has come since.
    unread_phrase(r"\bas\s+of\s+(?:today|now|this\s+(?:morning|moment)|right\s+now)\b", ("as of",)),
    unread_phrase(
        rf"\b{_SEASON}\s+(?:(?:of\s+)?(?:{YEAR}|{SHORT_YEAR})|of\s+{_BEFORE}\s+year)\b", _SEASONS
    ),
    unread_phrase(rf"\b(?:in|during|since|the|over)\s+{_SEASON}\s+{_BEFORE}\s+year\b", _SEASONS),
    unread_phrase(rf"\b{YEAR}\s+(?:spring|summer|autumn|winter)\b", _SEASONS),
    unread_phrase(
        r"\b(?:holiday|christmas|festive|easter|ski|flu|tax|harvest|hurricane)\s+season"
        rf"(?:\s+(?:of\s+|in\s+)?{_YEARS})?",
        ("season",),
    ),
    unread_phrase(rf"\b{_SCHOOL}\s+years?\s+(?:of\s+)?{_YEARS}", _SCHOOLS),
    unread_phrase(rf"\b{_YEARS}\s+{_SCHOOL}\s+year\b", _SCHOOLS),
    unread_phrase(
        rf"\b{_FEAST}(?:\s+(?:day|week|weekend))?(?:\s+(?:of\s+|in\s+)?{_YEARS})", A_DIGIT
    ),
    unread_phrase(rf"\b(?:q[05-9]|h[03-9])\s*(?:of\s+)?{YEAR}", A_DIGIT),
    unread_phrase(r"\b(?:may day|march madness)\b", ("may day", "march m")),
    unread_phrase(
        r"\bsame\s+(?:period|time|month|week|quarter|day|date|half|season)\s+(?:of\s+|in\s+|as\s+)?"
        rf"(?:the\s+)?(?:{_BEFORE}\s+{UNITS}\b|{YEAR}|{MONTH}(?:\s+{YEAR})?|{UNITS}\s+before\b)",
        ("same",),
    ),
    unread_phrase(rf"\bthis\s+time\s+{_BEFORE}\s+(?:{UNITS}\b|{WEEKDAY})", ("time",)),
    unread_phrase(
        r"\b(?:first|last)\s+(?:quarter|half|month|week|day)\s+of\s+(?:each|every|any)\b", A_UNIT
    ),
    unread_phrase(
        r"\b(?:second|third|fourth|last|final|1st|2nd|3rd|4th)\s+(?:quarter|half|month|week)\s+of\s+"
        rf"the\s+(?:year|month|quarter)\b(?!\s+(?:of\s+)?{YEAR})",
        A_UNIT,
    ),
    unread_phrase(
        rf"\bnot\s+(?:un)?til\s+(?:the\s+)?(?:{MONTH}(?:\s+{YEAR})?|{YEAR}|{_BEFORE}\s+{UNITS}\b)",
        ("til",),
    ),
)
