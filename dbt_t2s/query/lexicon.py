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


@lru_cache(maxsize=4096)
def country_names(value: str) -> tuple[str, ...]:
    """The English name of a two-letter country code; empty for anything else."""
    if len(value) != 2 or not value.isupper():
        return ()
    name = _territories().get(value)
    return (name,) if name else ()
