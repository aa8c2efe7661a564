"""Phrases with a date in them that mean none that can be told: their words are left unread.

Seasons and moving feasts, school years, "the same period last year", and so on.
"""

from __future__ import annotations

from dbt_t2s.query.calendar import MONTH, SHORT_YEAR, UNITS, WEEKDAY, YEAR
from dbt_t2s.query.period import Phrase, unread_phrase

_YEARS = rf"(?:{YEAR}(?:\s?[/–-]\s?(?:\d\d){{1,2}})?|{SHORT_YEAR})"
_SEASON = r"(?:spring|summer|autumn|fall|winter)"
_BEFORE = r"(?:last|previous|prior|next|past|this)"
_FEAST = (
    r"(?:thanksgiving|(?:mother|father)['’]?s['’]? day|labou?r day|memorial day|independence day|"
    r"ramadan|eid|diwali|hanukkah|passover|(?:chinese |lunar )?new year|prime day|may day|"
    r"mardi gras|pentecost|ascension day|super bowl|march madness)"
)

UNREAD: tuple[Phrase, ...] = (
    unread_phrase(rf"\b{_SEASON}\s+(?:(?:of\s+)?(?:{YEAR}|{SHORT_YEAR})|of\s+{_BEFORE}\s+year)\b"),
    unread_phrase(rf"\b(?:in|during|since|the|over)\s+{_SEASON}\s+{_BEFORE}\s+year\b"),
    unread_phrase(rf"\b{YEAR}\s+(?:spring|summer|autumn|winter)\b"),
    unread_phrase(
        r"\b(?:holiday|christmas|festive|easter|ski|flu|tax|harvest|hurricane)\s+season"
        rf"(?:\s+(?:of\s+|in\s+)?{_YEARS})?"
    ),
    unread_phrase(rf"\b(?:academic|school|tax|crop|policy)\s+years?\s+(?:of\s+)?{_YEARS}"),
    unread_phrase(rf"\b{_YEARS}\s+(?:academic|school|tax|crop|policy)\s+year\b"),
    unread_phrase(rf"\b{_FEAST}(?:\s+(?:day|week|weekend))?(?:\s+(?:of\s+|in\s+)?{_YEARS})"),
    unread_phrase(rf"\b(?:q[05-9]|h[03-9])\s*(?:of\s+)?{YEAR}"),
    unread_phrase(r"\b(?:may day|march madness)\b"),
    unread_phrase(
        r"\bsame\s+(?:period|time|month|week|quarter|day|date|half|season)\s+(?:of\s+|in\s+|as\s+)?"
        rf"(?:the\s+)?(?:{_BEFORE}\s+{UNITS}\b|{YEAR}|{MONTH}(?:\s+{YEAR})?|{UNITS}\s+before\b)"
    ),
    unread_phrase(rf"\bthis\s+time\s+{_BEFORE}\s+(?:{UNITS}\b|{WEEKDAY})"),
    unread_phrase(
        r"\b(?:first|last)\s+(?:quarter|half|month|week|day)\s+of\s+(?:each|every|any)\b"
    ),
    unread_phrase(
        r"\b(?:second|third|fourth|last|final|1st|2nd|3rd|4th)\s+(?:quarter|half|month|week)\s+of\s+"
        rf"the\s+(?:year|month|quarter)\b(?!\s+(?:of\s+)?{YEAR})"
    ),
    unread_phrase(
        rf"\bnot\s+(?:un)?til\s+(?:the\s+)?(?:{MONTH}(?:\s+{YEAR})?|{YEAR}|{_BEFORE}\s+{UNITS}\b)"
    ),
)
