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
    "argentinian": "argentina",
    "bulgarian": "bulgaria",
    "chilean": "chile",
    "colombian": "colombia",
    "croatian": "croatia",
    "egyptian": "egypt",
    "estonian": "estonia",
    "filipino": "philippines",
    "frenchman": "france",
    "hungarian": "hungary",
    "indonesian": "indonesia",
    "israeli": "israel",
    "korean": "south korea",
    "latvian": "latvia",
    "lithuanian": "lithuania",
    "malaysian": "malaysia",
    "moroccan": "morocco",
    "nigerian": "nigeria",
    "peruvian": "peru",
    "romanian": "romania",
    "russian": "russia",
    "scottish": "scotland",
    "serbian": "serbia",
    "slovak": "slovakia",
    "slovenian": "slovenia",
    "thai": "thailand",
    "ukrainian": "ukraine",
    "briton": "united kingdom",
    "brit": "united kingdom",
    "croat": "croatia",
    "cypriot": "cyprus",
    "dane": "denmark",
    "dutchman": "netherlands",
    "dutchmen": "netherlands",
    "englishman": "united kingdom",
    "englishmen": "united kingdom",
    "finn": "finland",
    "frenchmen": "france",
    "icelander": "iceland",
    "icelandic": "iceland",
    "irishmen": "ireland",
    "kenyan": "kenya",
    "luxembourgish": "luxembourg",
    "maltese": "malta",
    "pakistani": "pakistan",
    "saudi": "saudi arabia",
    "scot": "scotland",
    "scotsman": "scotland",
    "scotsmen": "scotland",
    "serb": "serbia",
    "singaporean": "singapore",
    "slovene": "slovenia",
    "spaniard": "spain",
    "swede": "sweden",
    "taiwanese": "taiwan",
    "tunisian": "tunisia",
    "turk": "turkey",
    "welshmen": "wales",
    "vietnamese": "vietnam",
    "welsh": "wales",
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


# What people call a code that stands in a column of this kind.
_CODES = {
    ("sex", "gender"): {
        "m": ("male", "man", "men", "boy", "boys"),
        "f": ("female", "woman", "women", "girl", "girls"),
        "male": ("man", "men", "boy", "boys"),
        "female": ("woman", "women", "girl", "girls"),
    },
}
_COUNTRIES = {"usa": "united states", "u.s.": "united states", "uk": "united kingdom"}
_STATES = {
    "AL": "alabama", "AK": "alaska", "AZ": "arizona", "AR": "arkansas", "CA": "california",
    "CO": "colorado", "CT": "connecticut", "DE": "delaware", "FL": "florida", "GA": "georgia",
    "HI": "hawaii", "ID": "idaho", "IL": "illinois", "IN": "indiana", "IA": "iowa",
    "KS": "kansas", "KY": "kentucky", "LA": "louisiana", "ME": "maine", "MD": "maryland",
    "MA": "massachusetts", "MI": "michigan", "MN": "minnesota", "MS": "mississippi",
    "MO": "missouri", "MT": "montana", "NE": "nebraska", "NV": "nevada", "NH": "new hampshire",
    "NJ": "new jersey", "NM": "new mexico", "NY": "new york", "NC": "north carolina",
    "ND": "north dakota", "OH": "ohio", "OK": "oklahoma", "OR": "oregon", "PA": "pennsylvania",
    "RI": "rhode island", "SC": "south carolina", "SD": "south dakota", "TN": "tennessee",
    "TX": "texas", "UT": "utah", "VT": "vermont", "VA": "virginia", "WA": "washington",
    "WV": "west virginia", "WI": "wisconsin", "WY": "wyoming",
}  # fmt: skip


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
    """The English names of a country, state, language, currency or sex code; empty for others.

    What a code stands for depends on what its column is called: two small letters are a language
    only where it says so.
    """
    told = column.lower()
    for kinds, known in _CODES.items():
        if any(kind in told for kind in kinds) and value.lower() in known:
            return known[value.lower()]
    if value.lower() in _COUNTRIES:
        return (_COUNTRIES[value.lower()],)
    if value in _STATES and any(w in told for w in ("state", "region", "province")):
        return (_STATES[value],)
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
