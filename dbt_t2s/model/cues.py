"""What a question's plain words ask of a plan's form: "most" an order, "never" a negation.

Each cue is a pair of numbers: asked for but missing in the plan, and in the plan unasked. They are
features of the plans' ranking, which weighs them; none of them decides anything alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.plan import ARITHMETIC, COMPARISONS, GRAINS, PARTS

Tokens = Sequence[str]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{text})\b", re.IGNORECASE)


_RANKED = _pattern(
    r"most|least|best|worst|top|bottom|max(?:imum)?|min(?:imum)?|priciest|first|last|latest|"
    r"(?!interest|request|guest|test|west|forest|harvest|rest|invest|suggest)\w{3,}est|rank\w*|"
    r"sort\w*|order(?:ed)? by|alphabetical\w*|ascending|descending|leading|record"
)
_COUNTED = _pattern(r"how many|how often|number|nr|no of|count\w*|cnt|amount of|volume|#|times")
_LISTED = _pattern(r"who|whose|whom|which|list|names?|show|what are|ids?")
_NAMED = _pattern(
    r"names?(?= (?:only|please|pls|suffices?|will do|is enough)|\W*$)|"
    r"(?:just|only) (?:the |their )?names?|name me|by name|just the one"
)
_AVERAGED = _pattern(r"average\w*|avg|mean|typical\w*|on average|usual\w*|median")
_DENIED = _pattern(
    r"no|not|never|without|nobody|none|nothing|missing|lack\w*|except|excluding|exclude|but|"
    r"other than|outside|yet|still|empty|unknown|w/o|un\w{3,}|non|neither|nor|cannot|\w+n['’]?t|"
    r"left|any more|anymore|nowhere|blank|apart|beside|besides|minus"
)
_SHARED = _pattern(
    r"share\w*|percent\w*|pct|proportion|fraction|rate|ratio|part|split|mix|out of|how much of"
)
_GROUPED = _pattern(
    r"per|by|each|every|across|split|break\w*|broken|group\w*|for all|in each|among|vs|versus|"
    r"compare\w*|distribution|trend|monthly|weekly|daily|yearly|quarterly|over time|month|week|"
    r"respective\w*|and"
)
_EITHER = _pattern(r"or|and|vs|versus|either|both|compare\w*|between|to")
_ABOVE = _pattern(
    r"more|over|above|at least|exceed\w*|greater|higher|bigger|larger|longer|older|later|minimum|"
    r"after|beyond|from|plus|upwards|past"
)
_BELOW = _pattern(
    r"less|under|below|at most|fewer|lower|smaller|cheaper|shorter|younger|up to|maximum|no more|"
    r"before|within|not even"
)
_DIFFERING = _pattern(
    r"differ\w*|more than|less than|gap|how long|how much|how far|days?|time|margin|"
    r"over\w*|under\w*|exceed\w*|later?|early|earlier|minus|compared|than|before|after|took|take\w*"
)


def _has(*keywords: str) -> Callable[[Tokens], bool]:
    wanted = frozenset(keywords)
    return lambda tokens: any(token in wanted for token in tokens)


def _select(tokens: Tokens) -> Tokens:
    ends = (i for i, t in enumerate(tokens) if t in ("WHERE", "HAVING", "DESC", "ASC", "END"))
    return tokens[: next(ends, len(tokens))]


def _measures(tokens: Tokens) -> bool:
    kinds = ("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MEDIAN", "MIN", "MAX", "RATE", "AVG_EACH")
    return any(t in kinds or t.startswith("m:") for t in _select(tokens))


def _dimensions(tokens: Tokens) -> int:
    """How many columns or periods are selected."""
    said, found = _select(tokens), 0
    for before, token in zip(("", *said), said, strict=False):
        plain = (token.startswith("c:") and before in ("", "DISTINCT")) or _is_dim(before, token)
        found += plain
    return found


def _shown(tokens: Tokens) -> int:
    """How many columns the answer has."""
    plan = from_tokens(tokens)
    return 0 if plan is None else len(plan.select)


def _counts_twice(tokens: Tokens) -> bool:
    """Whether rows are counted beside a metric."""
    said = _select(tokens)
    return "COUNT" in said and any(t.startswith("m:") for t in said) and "DIV" not in said


def _is_dim(before: str, token: str) -> bool:
    if token in (*GRAINS, *PARTS):
        return True
    return (token.startswith("c:") and before[:2] in ("c:", "m:", "t:")) or token == "TIME"


# (the question's words, what the plan then has, what it must not have without them)
_CUES: tuple[tuple[re.Pattern[str], Callable[[Tokens], bool], Callable[[Tokens], bool]], ...] = (
    (_RANKED, _has("DESC", "ASC", "MIN", "MAX", "HAVING"), _has("DESC", "ASC", "LIMIT")),
    (_COUNTED, _measures, _has("COUNT")),
    (_LISTED, lambda tokens: _dimensions(tokens) > 0, lambda tokens: not _measures(tokens)),
    (
        _AVERAGED,
        lambda tokens: (
            _has("AVG", "AVG_EACH", "MEDIAN", "AVERAGE")(tokens)
            or any(t.startswith("m:") for t in tokens)
        ),
        _has("AVG", "AVG_EACH", "MEDIAN", "AVERAGE"),
    ),
    (_DENIED, _has("NOT", "NULL", "NE", "LT", "LE", "EQ"), _has("NOT", "NULL", "NE")),
    (
        _SHARED,
        lambda tokens: (
            _has("RATE", "SHARE", "DIV")(tokens) or any(t.startswith("m:") for t in tokens)
        ),
        _has("RATE", "SHARE"),
    ),
    (
        _GROUPED,
        lambda tokens: _dimensions(tokens) > 0,
        lambda tokens: _measures(tokens) and _dimensions(tokens) > 0,
    ),
    (_EITHER, lambda tokens: True, _has("OR")),
    (_ABOVE, lambda tokens: True, _has("GT", "GE")),
    (_BELOW, lambda tokens: True, _has("LT", "LE")),
    (_DIFFERING, lambda tokens: True, _has("DIFF", "SUB", "CHANGE")),
)
_OTHERS = 9
CUES = 2 * len(_CUES) + _OTHERS


def cue_features(question: str, tokens: Tokens) -> np.ndarray:
    """Numbers (CUES,) for one plan of a question."""
    made: list[float] = []
    for words, wanted, unasked in _CUES:
        asked = words.search(question) is not None
        made.append(float(asked and not wanted(tokens)))
        made.append(float(not asked and unasked(tokens)))
    conditions = [t for t in tokens if t[:2] in ("v:", "r:", "d:")]
    columns = [t.partition("=")[0] for t in tokens if t.startswith("v:")]
    either = "OR" in tokens
    made.extend(
        (
            # Two values of one column hold for no row.
            float(not either and len(set(columns)) < len(columns)),
            float(len(set(tokens)) < len(tokens) and len(set(conditions)) < len(conditions)),
            _dimensions(tokens) / 3,
            float(_measures(tokens)),
            float("HAS" in tokens),
            float("HAVING" in tokens or any(t in COMPARISONS for t in tokens)),
            # "Just the names": nothing is shown beside them.
            float(_NAMED.search(question) is not None and _shown(tokens) > 1),
            float(_counts_twice(tokens)),
            float(any(t in (*ARITHMETIC, "ONLY", "DIFF", "CHANGE", "RUNNING") for t in tokens)),
        )
    )
    return np.array(made, dtype=np.float32)
