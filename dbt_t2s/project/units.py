"""What a number counts: euro, percent, days, … as its name, its meta or its docs say."""

from __future__ import annotations

import re

from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Node, text

# The last word of a name that says a unit, and nothing else, in the names people give columns.
_SUFFIXES = {
    word: unit
    for unit, words in {
        "EUR": "eur euro euros",
        "USD": "usd dollars",
        "GBP": "gbp",
        "CHF": "chf",
        "SEK": "sek",
        "NOK": "nok",
        "DKK": "dkk",
        "PLN": "pln",
        "JPY": "jpy",
        "CAD": "cad",
        "AUD": "aud",
        "INR": "inr",
        "cents": "cents",
        "percent": "pct percent percentage perc",
        "share": "share ratio fraction",
        "seconds": "seconds secs",
        "milliseconds": "ms millis milliseconds",
        "minutes": "minutes mins",
        "hours": "hours hrs",
        "days": "days",
        "weeks": "weeks",
        "months": "months",
        "years": "years",
        "kg": "kg kgs kilograms",
        "g": "grams",
        "t": "tonnes",
        "m2": "m2 sqm",
        "m3": "m3",
        "km": "km kilometers kilometres",
        "m": "meters metres",
        "cm": "cm",
        "mm": "mm",
        "miles": "miles",
        "l": "litres liters",
        "bytes": "bytes",
        "MB": "mb",
        "GB": "gb",
        "kWh": "kwh",
        "°C": "celsius",
    }.items()
    for word in words.split()
}

# A phrase of prose that states the unit: "in euro", "(days)", "as a percentage".
_STATED = re.compile(
    r"(?:\bin|\bas an?|\bnumber of)\s+(?:whole |calendar |full )?([a-z0-9]+|[€$])"
    r"|\(([a-z0-9]+|[€$])\)",
    re.IGNORECASE,
)
_PROSE = {**_SUFFIXES, "cent": "cents", "€": "EUR", "$": "USD", "hour": "hours", "day": "days"}


def unit_of(name: str, docs: Node, label: str, description: str) -> str:
    """The unit of a numeric column; empty when nobody says.

    ``meta.t2s.unit`` and ``meta.unit`` win, then the name's last word (``amount_eur``), then the
    label or the first sentence of the description ("in euro").
    """
    written = text(meta.own(docs), "unit") or text(meta.merged(docs), "unit")
    if written:
        return meta.clean(written)
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    if len(words) > 1 and words[-1] in _SUFFIXES:
        return _SUFFIXES[words[-1]]
    return _stated(label) or _stated(description.split(". ")[0])


def _stated(prose: str) -> str:
    """The one unit that a sentence states; empty where it states several."""
    said = [a or b for a, b in _STATED.findall(prose)]
    found = {_PROSE[word.lower()] for word in said if word.lower() in _PROSE}
    return found.pop() if len(found) == 1 else ""
