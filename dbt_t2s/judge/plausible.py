"""Values that a column might hold, by its name and kind, where nobody says more."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from dbt_t2s.project.schema import Kind

_FIRST = ("Ada", "Ben", "Chloe", "Daniel", "Emma", "Femi", "Grace", "Hugo", "Ines", "Jonas", "Kira",
          "Liam", "Maya", "Noah", "Olga", "Priya", "Quinn", "Rosa", "Sven", "Tara")  # fmt: skip
_LAST = ("Abbott", "Berg", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Haas", "Ito",
         "Jansen", "Khan", "Lopez", "Meyer", "Novak", "Okafor", "Patel", "Rossi", "Silva",
         "Turner", "Weber")  # fmt: skip
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"country_?code|^country$|iso_?2", ("US", "DE", "GB", "FR", "ES", "NL")),
    (r"country", ("United States", "Germany", "United Kingdom", "France", "Spain")),
    (r"city|town", ("Berlin", "London", "Paris", "Madrid", "Boston", "Vienna", "Oslo")),
    (r"state$|province|region", ("North", "South", "East", "West")),
    (r"currency", ("EUR", "USD", "GBP")),
    (r"lang|locale", ("en", "de", "fr", "es")),
    (r"gender|sex$", ("female", "male", "other")),
    (r"channel|source|medium", ("web", "email", "store", "partner")),
    (r"status|state", ("active", "pending", "completed", "cancelled")),
    (r"priority|severity", ("low", "medium", "high")),
    (r"plan|tier|level|segment", ("basic", "plus", "premium")),
    (r"device|platform", ("desktop", "mobile", "tablet")),
    (r"browser", ("chrome", "safari", "firefox")),
    (r"weekday|day_?name|day_?of_?week", ("Monday", "Tuesday", "Friday", "Sunday")),
    (r"time_?zone", ("UTC", "Europe/Berlin", "America/New_York")),
)
_NUMBERS: tuple[tuple[str, tuple[int, int]], ...] = (
    (r"(^|_)year", (-2, 0)),
    (r"(^|_)quarter", (1, 4)),
    (r"(^|_)month", (1, 12)),
    (r"(^|_)week", (1, 52)),
    (r"day_?of_?week|weekday", (1, 7)),
    (r"(^|_)(hour)", (0, 23)),
    (r"^is_|^has_|_flag$", (0, 1)),
    (r"rating|stars|score", (1, 5)),
    (r"(^|_)age$", (18, 80)),
    (r"cents", (100, 20_000)),
    (r"qty|quantity|count|num_|number_of|units|items", (1, 12)),
    (r"duration|seconds|minutes|days", (1, 90)),
)
_SHARES = re.compile(r"rate|ratio|share|percent|pct|probability|discount|tax_rate")
_DATE_NAME = re.compile(r"(_at|_ts|_time|timestamp|_datetime|_utc)$|^(timestamp|time|ts)$")
_DAY_NAME = re.compile(r"(_on|_date|_day|_dt|_month_start|_week_start)$|^(date|day|dt)(_|$)")
_FLAG_NAME = re.compile(r"^(is|has|was|can|should|does)_|_flag$")
_KEY_NAME = re.compile(r"(^|_)(id|key|uuid|guid|pk|sk|fk)$")
_NUMBER_NAME = re.compile(
    r"amount|price|cost|total|revenue|value|qty|quantity|count|fee|tax|spend|budget|score|rating"
    r"|weight|height|length|duration|rate|ratio|balance|salary|number_of|num_|latitude|longitude"
    r"|percent|pct|age$|year$|month$|sales|profit|margin|discount|units"
)


def type_by_name(name: str) -> str:
    """DuckDB's type for a column of which only the name is known."""
    lower = name.lower()
    for pattern, kind in (
        (_FLAG_NAME, "BOOLEAN"),
        (_DATE_NAME, "TIMESTAMP"),
        (_DAY_NAME, "DATE"),
        (_KEY_NAME, "BIGINT"),
        (_NUMBER_NAME, "DECIMAL(12,2)"),
    ):
        if pattern.search(lower):
            return "BIGINT" if kind.startswith("DEC") and _range(lower) else kind
    return "VARCHAR"


def texts(name: str) -> tuple[str, ...]:
    """A handful of texts for a column called so."""
    lower = name.lower()
    for pattern, words in _WORDS:
        if re.search(pattern, lower):
            return words
    stem = re.sub(r"_?(name|type|category|code|title|label|description|desc)$", "", lower) or lower
    return tuple(f"{stem.replace('_', ' ')} {letter}" for letter in "ABCDEF")


def text(name: str, index: int) -> str:
    """The ``index``-th text for a column called so: persons and addresses are many."""
    lower = name.lower()
    first, last = _FIRST[index % len(_FIRST)], _LAST[(index // 3) % len(_LAST)]
    if "email" in lower or lower.endswith("mail"):
        return f"{first.lower()}.{last.lower()}{index}@example.org"
    if re.search(r"first_?name|given_?name", lower):
        return first
    if re.search(r"last_?name|family_?name|surname", lower):
        return last
    if re.search(r"(full|customer|user|employee|contact|person|owner|agent|author)_?name$", lower):
        return f"{first} {last}"
    if re.search(r"phone|mobile", lower):
        return f"+1 555 {index:04d}"
    if re.search(r"url|link|website|referrer", lower):
        return f"https://example.org/{lower.replace('_', '-')}/{index}"
    if re.search(r"(^|_)ip(_|$)", lower):
        return f"192.0.2.{index % 255}"
    known = texts(name)
    return known[index % len(known)]


def number(name: str, is_whole: bool, chance: Callable[[], float], as_of: date) -> int | float:
    """A number for a column called so."""
    lower = name.lower()
    bounds = _range(lower)
    if _SHARES.search(lower) and not is_whole:
        return round(chance() * 0.6, 2)
    low, high = bounds or (1, 500)
    if re.search(r"(^|_)year", lower):
        low, high = as_of.year + low, as_of.year + high
    drawn = low + chance() * (high - low)
    return round(drawn) if is_whole or bounds else round(drawn, 2)


def day(chance: Callable[[], float], as_of: date, first: date | None = None) -> date:
    """A day of the two years before ``as_of``, the latest the most likely."""
    span = max((as_of - first).days, 1) if first else 730
    return as_of - timedelta(days=int(span * chance() ** 2))


def key(name: str, kind: Kind, index: int, plain: bool) -> object:
    """The ``index``-th key of a thing; ``plain`` keys are text that reads as a number."""
    if kind is Kind.NUMBER:
        return index + 1
    stem = re.sub(r"_?(id|key|uuid|guid|pk|sk|fk|code)$", "", name.lower()) or "k"
    return str(index + 1) if plain else f"{stem}-{index + 1:04d}"


def _range(name: str) -> tuple[int, int] | None:
    return next((bounds for pattern, bounds in _NUMBERS if re.search(pattern, name)), None)


def most_common(names: Sequence[str]) -> str:
    """The name that occurs most, the shortest and first of several."""
    return min(sorted(set(names)), key=lambda each: (-names.count(each), len(each), each))
