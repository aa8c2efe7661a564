"""What a follow-up's plain words ask for: phrases that stand for an edit, found by code.

A phrase takes its words: what no phrase takes is read as names, values and dates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dbt_t2s.query.numbers import number_spans

# A question that leans less on the one before stands alone.
LEANING = 0.5
_SHORT = 4  # words
_SUPERLATIVE = (
    r"best|top|highest|largest|biggest|greatest|most(?! recent)|strongest|longest|priciest|"
    r"most expensive|worst|bottom|lowest|smallest|fewest|least|weakest|shortest|cheapest|"
    r"latest|newest|most recent|oldest|earliest|first|last"
)
_LOW = re.compile(
    r"worst|bottom|lowest|smallest|fewest|least|weakest|shortest|cheapest|oldest|earliest", re.I
)
_COUNT = r"\d+|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|dozen"
_UNIT = r"(?!\s*(?:full |whole |complete )?(?:day|week|month|quarter|year|hour|minute|half)s?\b)"
_TOTAL = r"(?:of|from)\s+(?:the\s+)?(?:total|whole|all|overall|grand total|sum|lot|it all)\b"
_GRAINS = {
    "day": "DAY", "daily": "DAY", "week": "WEEK", "weekly": "WEEK", "month": "MONTH",
    "monthly": "MONTH", "quarter": "QUARTER", "quarterly": "QUARTER", "year": "YEAR",
    "yearly": "YEAR", "annually": "YEAR", "annual": "YEAR", "weekday": "DOW",
    "day of the week": "DOW", "day of week": "DOW", "hour": "HOUR",
}  # fmt: skip
_GRAIN = "|".join(sorted(_GRAINS, key=len, reverse=True))
_FUNCTIONS = {
    "AVG": r"averages?|avg|means?|on average",
    "MEDIAN": r"medians?",
    "MAX": r"max(?:imum)?",
    "MIN": r"min(?:imum)?",
    "SUM": r"totals?|sums?|summed(?: up)?",
}

# (kind, pattern); the first that matches takes the words.
_YEAR = r"(?:year|yr)"
_SAME = rf"same (?:(?:{_COUNT}) )?(?:periods?|times?|months?|quarters?|thing|weeks?|days?)"
_PHRASES: tuple[tuple[str, str], ...] = (
    (
        "undo",
        r"(?:please )?(?:revert|scrap|cancel|reverse|take back|forget)(?: (?:that|this|it|the last "
        r"(?:one|step|change|filter|restriction)))(?: (?:again|please))?|(?:back|return) to (?:how "
        r"it was|what (?:it|we|i) (?:was|had)|the (?:last|previous|first|earlier|original|full|"
        r"whole) "
        r"(?:\w+)|before|all of (?:them|it))(?: (?:again|please|before))?|take (?:that|this|it) "
        r"(?:back|off|out)(?: again)?|(?:the )?(?:previous|last|earlier) (?:one|version|result|"
        r"list|view) again|(?:without|remove|drop|lift|clear) (?:that|this|the(?: last)?) "
        r"(?:filter|restriction|limit|condition)(?: again)?|show (?:me )?(?:everything|all of "
        r"(?:them|it)|them all|it all|all)(?: again)?(?=\W*$)|(?:all|everything) again(?=\W*$)|"
        r"(?:actually,? )?(?:please )?(?:don't|do not|dont|no longer|stop|no need to) "
        r"(?:restrict|limit|filter|narrow)\w*(?: (?:it|that|this|them))?(?: (?:down )?to "
        r"(?:them|that|those|these|it))?(?: any ?more)?|(?:go |take me |step )?back(?: to "
        r"(?:before|the (?:last|previous|first) (?:one|result|answer|question|list|"
        r"version)))?(?= ?[.!?]?$)|undo(?: that| the last(?: one)?)?|forget (?:that|the "
        r"last(?: one| filter)?)|as (?:it was )?before(?= ?[.!?]?$)|(?:remove|drop|without|"
        r"clear) (?:that|this|the last)(?: (?:filter|one|condition|restriction))?(?= "
        r"?(?:again)?[.!?]?$)",
    ),
    (
        "all_time",
        r"(?:of |for |over |across |since )?all[- ]time|ever(?= ?[.!?]?$)|(?:for |over |across "
        r"|in )?all (?:the )?(?:years|months|dates|periods|time)|(?:regardless|irrespective) "
        r"of (?:the )?(?:date|period|time|year|month|when)|without (?:the |any )?(?:date|"
        r"period|time|year|month)(?: (?:filter|limit|restriction|range))?|since the (?:very "
        r")?beginning|(?:no|any) (?:date|time|period)(?: (?:filter|limit|restriction))?",
    ),
    (
        "change",
        r"(?:as )?(?:the |a )?(?:change|growth|difference|increase|development)(?: (?:rate|in "
        r"percent))? (?:from|to|against|vs\.?|over|compared (?:to|with)|on) (?:the |each "
        r")?(?:previous|prior|last|month before|preceding)(?: (?:month|week|quarter|year|day|"
        r"period))?|(?:month|week|quarter|year|day)[- ](?:over|on|by)[- ](?:month|week|quarter|"
        r"year|day)(?: (?:change|growth))?|(?:compared (?:to|with)|against|vs\.?) the "
        r"(?:previous|prior|preceding) (?:month|week|quarter|year|day|period)|change (?:from "
        r")?(?:month|week|quarter|year) to (?:month|week|quarter|year)",
    ),
    (
        "shift:-1:year",
        rf"(?:the |a )?(?:{_YEAR} (?:before(?: that)?|earlier|prior)|(?:prior|previous|"
        rf"preceding) {_YEAR})|(?:the )?{_SAME}(?: of| in| for)?,? (?:the )?(?:last|previous|"
        rf"prior) {_YEAR}|(?:the )?(?:last|previous|prior) {_YEAR},? same period|(?:for |in )?"
        rf"(?:(?:the )?{_SAME},? )?(?:but )?(?:one|a) {_YEAR} (?:before|earlier)|(?:the )?"
        rf"{_SAME},? (?:one|a) {_YEAR} ago",
    ),
    (
        "shift:-1:period",
        r"(?:the |a )?(?:month|quarter|week|day|period|one)s? (?:before(?: that)?|earlier|"
        r"prior)(?= ?[.!?]?$)|(?:the )?(?:preceding|previous|prior) (?:month|quarter|week|day|"
        r"period)(?= ?[.!?]?$)",
    ),
    (
        "shift:1:period",
        r"(?:the |a )?(?:year|month|quarter|week|day|period|one)s? (?:after(?: that)?|later|"
        r"following)(?= ?[.!?]?$)|(?:the )?following (?:year|month|quarter|week|day|period)",
    ),
    ("running", r"(?:as (?:a )?)?(?:cumulative(?:ly)?|running total|cumulated|accumulated)"),
    (
        "share",
        rf"how much of the (?:total|whole)(?: is that)?|relative to the (?:total|whole)|"
        rf"(?:as )?(?:a )?contributions? to the (?:total|whole)|"
        rf"(?:(?:as|in|by|to|into|of)\s+)?(?:(?:a|the|their|its|what|"
        rf"each(?:'s)?)\s+)*(?:shares?|percent(?:age)?s?|per cent|pct|%|proportions?|"
        rf"fractions?)(?:\s+{_TOTAL}|\s+(?:(?:does |of )?(?:each|that|those|it|they)(?: "
        rf"one)?)(?: (?:is|has|have|makes? up|contributes?|of them))?)?(?:\s+(?:instead|is "
        rf"that))?",
    ),
    (
        "total",
        r"(?:and )?(?:in total|overall|all together|altogether|all in all|in all|combined|"
        r"(?:the )?grand total|as (?:a|one) (?:total|number)|(?:the )?total(?= ?[.!?]?$)|not "
        r"(?:split|grouped|broken down)(?: at all)?|without (?:the )?(?:split|grouping|"
        r"breakdown)|ungrouped|as a whole)(?! by)",
    ),
    (
        "absolute",
        r"(?:as |in )?(?:absolute (?:numbers?|values?|terms|figures?)|absolutes?|actual "
        r"(?:numbers?|values?|figures?|amounts?)|not (?:as |in )?(?:a )?(?:percent(?:age)?s?|"
        r"shares?))",
    ),
    (
        "sort_flip",
        r"(?:in )?reverse(?:d)?(?: (?:the )?(?:order|sort(?:ing)?))?(?: (?:it|that|them))?|"
        r"(?:the )?other way (?:a)?round|(?:in )?(?:the )?opposite order|flip (?:it|that|the "
        r"order)|upside down",
    ),
    ("sort_name", r"alphabetical(?:ly)?|(?:from )?a ?(?:-|to) ?z|in alphabetical order"),
    (
        "sort_desc",
        r"(?:the )?(?:highest|largest|biggest|most|best|greatest|newest|latest|most recent|"
        r"longest|most expensive|priciest|heaviest|fastest)(?: ones?)? (?:first|(?:on|at the) "
        r"top)|(?:in )?desc(?:ending)?(?: order)?|(?:from )?(?:high(?:est)?|most|large(?:st)?|"
        r"big(?:gest)?|best) to (?:low(?:est)?|least|small(?:est)?|worst|fewest)",
    ),
    (
        "sort_asc",
        r"(?:the )?(?:lowest|smallest|fewest|least|worst|oldest|earliest|shortest|cheapest|"
        r"lightest|youngest|slowest)(?: ones?)? (?:first|(?:on|at the) top)|(?:in "
        r")?asc(?:ending)?(?: order)?|(?:from )?(?:low(?:est)?|least|small(?:est)?|worst) to "
        r"(?:high(?:est)?|most|large(?:st)?|big(?:gest)?|best)|chronological(?:ly)?|in "
        r"chronological order",
    ),
    (
        "top",
        rf"(?:which|what|who|just|only)(?: are)?(?: the)? (?:{_COUNT}) (?:\w+ )?(?:with|have|has|"
        rf"had|"
        rf"sold|made|earned|got|brought|are|were)(?: the)? (?:{_SUPERLATIVE})|"
        rf"(?:the )?(?:{_SUPERLATIVE})[ -](?:{_COUNT})\b{_UNIT}(?: ones?)?|(?:the "
        rf")?(?:{_COUNT}) (?:{_SUPERLATIVE})(?: ones?)?\b{_UNIT}|(?:only|just|limit(?: (?:it|"
        rf"that|this|them))? to|cut(?: it)? (?:off )?(?:at|to)|make (?:it|that)|keep|show)(?: "
        rf"me)? (?:the )?(?:{_COUNT})(?= (?:rows?|of (?:them|those)|results?|lines?|ones|"
        rf"please|instead|only)| ?[.!?]?$)(?: (?:rows?|of (?:them|those)|results?|lines?|"
        rf"ones))?",
    ),
    (
        "top_one",
        rf"(?:which|what|who)(?: one| of (?:them|those|these))?(?:'s| is| was| are| were| has| "
        rf"had| have| did| does| do| sold| made| earned| got| brought)?(?: the)? "
        rf"(?:{_SUPERLATIVE})(?: (?:one|of (?:them|those|these|all)|number|amount))?\b|(?:only|"
        rf"just) the (?:{_SUPERLATIVE})(?: one)?(?= ?[.!?]?$)|(?:the )?(?:{_SUPERLATIVE}) "
        rf"(?:one|of (?:them|those|these|all))\b|number one\b",
    ),
    (
        "sort",
        r"(?:and )?(?:can you |please )?(?:re)?(?:sort|order|rank)(?:ed|ing)?(?: (?:it|them|"
        r"that|this|these|those|the (?:list|result|table|rows)))?(?: (?:by|on|after|according "
        r"to))(?: the)?",
    ),
    (
        "trend",
        r"over time|(?:as )?(?:a |the )?(?:trend|time series|timeline)(?: over time| line)?|"
        r"how (?:did|has|does) (?:that|it|this) (?:develop|evolve|change)(?:d)?(?: over time)?",
    ),
    (
        "average_each",
        rf"(?:on |the |an )?(?:average|avg\.?|mean)(?: (?:of (?:that|this)|value|number|"
        rf"amount))? (?:per|by|each|for each|a) (?:{_GRAIN})",
    ),
    (
        "grain",
        rf"(?:(?:by|per|each|every|for each|for every|split by|broken down by|grouped by|on a) "
        rf"(?:the )?(?:{_GRAIN})(?: (?:basis|level))?|\b(?:daily|weekly|monthly|quarterly|"
        rf"yearly|annually)(?= ?[.!?,]?$| please| instead| breakdown| split| figures| numbers| "
        rf"values))(?: (?:breakdown|split|figures|numbers|values))?",
    ),
    (
        "count",
        r"how many(?: (?:are|is|were|was) (?:there|that|those|these|they|it)(?: (?:all )?(?:in "
        r"total|altogether|of (?:them|those)))?| (?:in total|altogether|of (?:them|those)))?|"
        r"(?:the |what(?:'s| is) the )?(?:number of (?:them|those|these)|count)(?= ?[.!?]?$)|"
        r"count (?:them|those|these)|as a count",
    ),
    (
        "list",
        r"(?:which|what|who)(?: ones?)?(?: (?:are|were|is) (?:they|those|these|it|that|"
        r"them))(?: exactly)?(?= ?[.!?]?$)|which ones|(?:list|name|show)(?: me)? (?:them|those|"
        r"these)(?: all| please)?(?= ?[.!?]?$)|who(?= ?[.!?]?$)|(?:show |list |give me |see "
        r")?(?:me )?(?:the )?(?:details|individual (?:rows|ones)|underlying rows|single rows)",
    ),
)
_COMPILED = tuple(
    (kind, re.compile(rf"(?<![\w'])(?:{pattern})(?!\w)", re.I)) for kind, pattern in _PHRASES
)

_WHY = re.compile(
    r"^\W*(?:(?:and|but|so|ok(?:ay)?|hm+|then|well)\W+)*(?:why|how come|what (?:caused|"
    r"explains|drove|drives|is behind|happened)|"
    r"what(?:'s| is| was)? the (?:reason|cause|explanation)|explain|what(?: is|'s)? behind)\b|"
    r"\bwhy\b(?! not\b)",
    re.I,
)
_AHEAD = re.compile(
    r"\b(?:predict\w*|forecast\w*|project(?:ed|ion)|(?:will|gonna|going to) (?:it|they|that|"
    r"this|there|we|be)\b|"
    r"(?:it|they|that|this|we|there) will\b|what will\b|next (?:day|week|month|quarter|year|"
    r"season)s?\b|expect(?:ed|ation)?\b|in the future)",
    re.I,
)
_ADVICE = re.compile(
    r"\b(?:should (?:we|i)|what (?:can|could) (?:we|i) do|recommend\w*|advice|is that (?:good|"
    r"bad|normal|a lot|much))\b",
    re.I,
)

_LEADS = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|hm+|right|great|thanks?(?: you)?|good|cool|nice|so|well|please|hey)\W+)*"
    r"(?:and|but|or|now|then|also|only|just|same|instead|without|excluding|exclude|except|not|no|"
    r"what about|how about|what if|what was it|how (?:does|did|do) (?:that|it|this)|minus|plus|"
    r"include|including|add|remove|drop|leave|keep|limit|filter|restrict|narrow|sort|"
    r"order(?:ed)? by|rank|"
    r"group|split|break|show (?:it|that|them|those|the|their|me (?:the|their|them|those|that|"
    r"only|just))|"
    r"make (?:it|that)|change|switch|turn|use|in(?:to)? |by |per |for |from |of (?:those|them|"
    r"these)|"
    r"with |as |still|any of|do the same|the same|ditto|vs|versus|compared?|top|bottom|"
    r"sorry|actually|i (?:meant|only|just)|wait)\b",
    re.I,
)
_POINTS = re.compile(
    r"\b(?:those|them|these|they|same|instead|ones|as well|previous result|the (?:list|rest|others|"
    r"result)|of (?:it|that|this)|"
    r"respectively|(?<!are )(?<!is )(?<!were )(?<!was )there(?=\W*$))\b",
    re.I,
)
# Words that may point at something in the question itself.
_HINTS = re.compile(
    r"\b(?:their|theirs|it|its|one|too|again|that(?! (?:were|was|are|is|have|has|had|did|do|came|"
    r"need|cost|bought|never|we))|this(?! (?:year|month|week|quarter|day|season|morning)))\b",
    re.I,
)
_ASKS = re.compile(
    r"^\W*(?:how (?:many|much|often|long|old|big)|what(?:'s| is| are| was| were| percentage| "
    r"share)|which|who|"
    r"when|where|list|show(?: me)?|give(?: me)?|find|get|count|tell me|do we|did we|have we|is "
    r"there|are there|can you)\b",
    re.I,
)


@dataclass(frozen=True)
class Phrase:
    """Words ``start``:``end`` (character offsets) that stand for an edit.

    ``count`` is a number said in it, ``low`` whether it asks for the lesser end, ``grain`` a period
    it names.
    """

    kind: str
    start: int
    end: int
    text: str
    count: str = ""
    low: bool = False
    grain: str = ""


def phrases(text: str) -> tuple[Phrase, ...]:
    """The phrases of a follow-up in the order of the text, none overlapping another."""
    taken: list[Phrase] = []
    for kind, pattern in _COMPILED:
        for found in pattern.finditer(text):
            start, end = found.span()
            if start == end or any(start < p.end and p.start < end for p in taken):
                continue
            said = found.group()
            numbers = number_spans(said)
            grain = re.search(rf"(?:{_GRAIN})\b", said, re.I)
            taken.append(
                Phrase(
                    kind,
                    start,
                    end,
                    said,
                    numbers[0].value if numbers else "",
                    _LOW.search(said) is not None,
                    _GRAINS[grain.group().lower()] if grain else "",
                )
            )
    return tuple(sorted(taken, key=lambda p: p.start))


def function_of(text: str) -> str:
    """The aggregate that words ask for (AVG, MEDIAN, …); empty where they ask for none."""
    for function, pattern in _FUNCTIONS.items():
        if re.search(rf"\b(?:{pattern})\b", text, re.I):
            return function
    return ""


_ANEW = re.compile(
    r"^\W*(?:ok(?:ay)?\W+)?(?:(?:a |one )?(?:different|another|other|new|next|unrelated|separate) "
    r"(?:question|q|topic|thing|subject)|separately(?=\s*[:;])|"
    r"(?:something|anything) (?:else|different)(?: entirely)?|"
    r"(?:change|changing)(?: of)?(?: the)? (?:topic|subject)|start(?:ing)? over|whatever|never "
    r"?mind|"
    r"forget (?:it|all that)|on another note|by the way|btw|unrelated)\b[\s:,.;!-]*",
    re.I,
)


def anew(text: str) -> str:
    """The question behind words such as "different question:"; empty where there are none."""
    found = _ANEW.match(text)
    return text[found.end() :].strip() if found else ""


def unanswerable(text: str) -> str:
    """Why rows of the past cannot answer the words; empty where they might."""
    if _WHY.search(text):
        return "the data says what happened, not why"
    if _AHEAD.search(text):
        return "the data holds what has happened, not what will"
    if _ADVICE.search(text):
        return "the data holds figures and no judgement of them"
    return ""


def leans(text: str) -> float:
    """How much the words lean on what was asked before: 1 surely, 0 not at all."""
    asks = _ASKS.search(text) is not None
    points, hints = _POINTS.search(text) is not None, _HINTS.search(text) is not None
    count = len(text.split())
    if _LEADS.search(text):
        return 1.0 if points or not asks else 0.75
    if points:
        return 0.8
    if hints and (not asks or count <= _SHORT + 1):
        return 0.6
    if asks:
        return 0.25 if count <= _SHORT else 0.0
    return 0.7 if count <= _SHORT else 0.3
