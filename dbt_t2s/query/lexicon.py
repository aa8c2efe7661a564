"""General-English knowledge for matching values: countries by code, name and people."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale

DEMONYMS = {
    "american": "united states",
    "america": "united states",
    "us": "united states",
    "usa": "united states",
    "australian": "australia",
    "austrian": "austria",
    "belgian": "belgium",
    "brazilian": "brazil",
    "british": "united kingdom",
    "britain": "united kingdom",
    "uk": "united kingdom",
    "canadian": "canada",
    "chinese": "china",
    "czech": "czechia",
    "danish": "denmark",
    "dutch": "netherlands",
    "holland": "netherlands",
    "english": "united kingdom",
    "finnish": "finland",
    "french": "france",
    "german": "germany",
    "greek": "greece",
    "indian": "india",
    "irish": "ireland",
    "italian": "italy",
    "japanese": "japan",
    "mexican": "mexico",
    "norwegian": "norway",
    "polish": "poland",
    "portuguese": "portugal",
    "spanish": "spain",
    "swedish": "sweden",
    "swiss": "switzerland",
    "turkish": "turkey",
}


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    return dict(Locale("en").territories)


@lru_cache(maxsize=1)
def _languages() -> dict[str, str]:
    return dict(Locale("en").languages)


@lru_cache(maxsize=1)
def _currencies() -> dict[str, str]:
    return dict(Locale("en").currencies)


@lru_cache(maxsize=4096)
def code_names(value: str, column: str) -> tuple[str, ...]:
    """The English names of a country, language or currency code; empty for anything else.

    Two small letters are a language only in a column that says so.
    """
    if len(value) == 2 and value.isupper():
        name = _territories().get(value)
    elif len(value) == 2 and any(w in column.lower() for w in ("lang", "locale")):
        name = _languages().get(value.lower())
    elif len(value) == 3 and value.isupper() and "curr" in column.lower():
        name = _currencies().get(value)
        plain = name.rsplit(" ", 1)[-1].lower() if name else ""
        return (name, plain, f"{plain}s") if name else ()
    else:
        name = None
    return (name,) if name else ()
