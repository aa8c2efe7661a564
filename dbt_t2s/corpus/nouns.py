"""Plurals and singulars of English nouns, and which noun phrases are plural."""

from __future__ import annotations

import re

_IRREGULAR = {"person": "people", "child": "children", "man": "men", "woman": "women"}
_UNCOUNTED = frozenset(
    "equipment personnel information feedback inventory furniture luggage software hardware data "
    "merchandise advertising stock staff money revenue income turnover".split()
)
_PARTICIPLE = re.compile(r"(?:sent|sold|paid|made|left|won|lost|\w{2,}[^e\W]ed)$")
# What follows a noun phrase's head: a preposition with its noun, or a participle.
_TAIL = re.compile(
    r"(?<=\w) (?:(?:of|in|for|on|with|within|at|by|from|to|the) .*|sent|sold|paid|made|"
    r"\w{2,}[^e\W]ed(?: (?:in|by|for|at|to|on|with))?)$"
)


def plural(noun: str) -> str:
    """A noun phrase in the plural: the last word of its head."""
    if noun.endswith(("or not", "or no")):
        return noun
    if found := _TAIL.search(noun):
        return plural(noun[: found.start()]) + noun[found.start() :]
    head, _, last = noun.rpartition(" ")
    lowered = last.lower()
    if lowered in _UNCOUNTED:
        return noun
    if lowered in _IRREGULAR:
        last = _IRREGULAR[lowered]
    elif lowered.endswith("s") and not lowered.endswith(("ss", "us", "is")):
        last = last
    elif re.search(r"(s|x|z|ch|sh)$", lowered):
        last += "es"
    elif re.search(r"[^aeiou]y$", lowered):
        last = last[:-1] + "ies"
    else:
        last += "s"
    return f"{head} {last}".strip()


def singular(noun: str) -> str:
    """A noun phrase in the singular: the last word of its head."""
    if found := _TAIL.search(noun):
        return singular(noun[: found.start()]) + noun[found.start() :]
    head, _, last = noun.rpartition(" ")
    lowered = last.lower()
    back = {many: one for one, many in _IRREGULAR.items()}
    if lowered in back:
        last = back[lowered]
    elif re.search(r"(stat|bon|camp|vir)uses$", lowered):
        last = last[:-2]
    elif lowered.endswith("ies") and lowered != "series" and len(lowered) > 4:
        last = last[:-3] + "y"
    elif re.search(r"(sses|xes|zes|ches|shes)$", lowered):
        last = last[:-2]
    elif lowered.endswith("s") and not lowered.endswith(("ss", "us", "is")):
        last = last[:-1]
    return f"{head} {last}".strip()


def is_plural(noun: str) -> bool:
    """Whether a noun phrase stands in the plural, by its last word."""
    last = _TAIL.sub("", noun).rpartition(" ")[2].lower()
    return last in _IRREGULAR.values() or singular(last) != last


# Words for sums: rows of a table so called are its records.
_SUMS = frozenset(
    "spend spending cost expense fee earning taking wage saving advertising revenue income".split()
)


def rows_of(noun: str) -> str:
    """A plural noun for rows: ``spend records``, for "the most ad spends" asks for a sum."""
    return records(noun) if is_sum(noun) else noun


def is_sum(noun: str) -> bool:
    """Whether a noun names an amount rather than things to count: ``ad spend``."""
    return singular(noun).rpartition(" ")[2].lower() in _SUMS | _UNCOUNTED


def records(noun: str) -> str:
    return f"{singular(noun)} records"


def is_participle(word: str) -> bool:
    """Whether a word is a past participle by its form, such as ``delivered``."""
    return _PARTICIPLE.fullmatch(word) is not None


# What dbt projects write before a model's name and nobody says: "fct_orders" holds orders.
_MARKS = frozenset(
    "dim fct fact mart marts stg staging int rpt report agg base tbl vw obt raw src".split()
)


def unmarked(name: str) -> str:
    """A table's name without the mark of its layer, where more than that is left."""
    words = name.split()
    while len(words) > 1 and words[0] in _MARKS:
        words = words[1:]
    while len(words) > 1 and (words[-1] in ("dim", "fact", "fct", "mart") or len(words[-1]) == 1):
        words = words[:-1]
    return " ".join(words)
