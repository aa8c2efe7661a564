"""Questions as a well-spoken person asks them.

The corpus holds questions as they are typed in a hurry, misspelt and abbreviated, so that a model
understands those. What is shown to people as an example is chosen from the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from dbt_t2s.corpus.registers import asked, is_framed
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.text import name_words

_SHORTEST, _LONGEST = 4, 14
# A word that so small a share of questions has, and no name or value, is a slip or a rare bird.
_COMMON, _LEAST = 0.003, 4

_VERB = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|bring|brings|brought|sold|made|make|came|"
    r"opened|placed|ordered|signed|joined|bought|spent|paid)"
)
_ASKS = re.compile(
    rf"(?:how many .*(?:s|people|staff|men|women|children)\b.* {_VERB}\b|how much .*\b{_VERB}\b|"
    r"what (?:is|are|was|were) (?:the|our) |"
    rf"which .*\b{_VERB}\b|who |when (?:is|are|was|were|did) |what share of .*\b{_VERB}\b)",
    re.I,
)
_ORDERS = re.compile(r"(?:show me|list|compare) (?!of\b|top\b|bottom\b)", re.I)
_THINGS = re.compile(
    r"(?:total|average|median|highest|lowest|number of|top \w+|largest|smallest|earliest|latest|"
    r"maximum|minimum) ",
    re.I,
)
# What nobody says aloud, or says so only to a machine.
_CLUMSY = re.compile(
    r"[#<>=+*&;:/\\|_\"]|,\s| - |\bw/|\b(?:nr|num|avg|qty|pct|min|max|id|ids|where|either|neither|"
    r"and/or|vs|approx|what's|percent of|how many percent|on average \w+ \w+ of)\b|"
    r"\bwhat (?:is|are|was|were) (?:the|our) (?:all|any|our|my)\b|\b(\w+) \1\b|"
    r"\bthat (?:is|are|have|has)(?: \w+)?$|\bhow much .* due to\b|%|\bof (?:the )?[\w' ]+ of\b|"
    r"\bmissing\b|\bno \d|\bby each\b|\bother than\b|\bthree our\b|"
    r"\b(?:hrs|ctr|sku|flagged)\b|'\d\d\b|\b(?!q)[a-z]+\d+\b|\b(\w{4,})\w* \2\w*\b|"
    r"\b(?:was|is|were|are|has|have|had|does) (?:earliest|latest|best|worst|highest|lowest|largest|"
    r"smallest|biggest|most recent)\b",
    re.I,
)
_CAPITALS = re.compile(
    r"\b(january|february|march|april|june|july|august|september|october|november|december|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|q[1-4]|may(?= \d{4}\b))\b",
    re.I,
)


class Wellspoken:
    """Judges and polishes the questions of one corpus."""

    def __init__(self, questions: Sequence[str], schema: ProjectSchema | None = None) -> None:
        said = Counter(word for question in questions for word in set(_words(question)))
        least = max(_LEAST, round(_COMMON * len(questions)))
        self._known = {word for word, count in said.items() if count >= least}
        self._spelled: dict[str, str] = {}
        if schema is not None:
            texts = tuple(_texts(schema))
            self._known |= {word.lower() for text in texts for word in name_words(text)}
            self._spelled = _spelled(schema, texts)
        longest_first = sorted(self._spelled, key=lambda each: (-len(each), each))
        any_value = "|".join(map(re.escape, longest_first)) or "$^"
        self._values = re.compile(rf"(?<!\w)(?:{any_value})(?!\w)", re.I)

    def said(self, question: str) -> str:
        """The question in its good form; empty where it has none."""
        text = " ".join(question.split()).rstrip(" .?!")
        if not _SHORTEST <= len(text.split()) <= _LONGEST:
            return ""
        if _CLUMSY.search(text) or is_framed(text):
            return ""
        if not all(word in self._known or word.isdigit() for word in _words(text)):
            return ""
        if _ASKS.match(text):
            return f"{self._capitals(text)}?"
        if _ORDERS.match(text):
            return f"{self._capitals(text)}."
        if _THINGS.match(text):
            thing = asked(text[0].lower() + text[1:]).replace("are top ", "are the top ", 1)
            return f"{self._capitals(thing)}?"
        return ""

    def _capitals(self, text: str) -> str:
        """Names of months, days and values as they are written, and the first letter large."""
        text = self._values.sub(lambda found: self._spelled[found.group().lower()], text)
        text = _CAPITALS.sub(lambda found: found.group().capitalize(), text)
        return text[0].upper() + text[1:]


def _words(text: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text)]


def _texts(schema: ProjectSchema) -> Iterable[str]:
    """All by which the project calls its things and values."""
    for table in schema.tables:
        yield from (table.name, table.label, table.description, *table.synonyms)
        for column in table.columns:
            yield from (column.name, column.label, *column.synonyms, *column.values)
    for metric in schema.metrics:
        yield from (metric.name, metric.label, *metric.synonyms)


def _spelled(schema: ProjectSchema, texts: Iterable[str]) -> dict[str, str]:
    """Values in capitals by how they read without: ``germany`` → ``Germany``; no everyday words."""
    everyday = {word for text in texts for word in re.findall(r"\b[a-z]+\b", text)}
    values = (
        value
        for table in schema.tables
        for column in table.columns
        if not column.personal
        for value in column.values
    )
    return {
        value.lower(): value
        for value in values
        if value != value.lower() and len(value) > 2 and value.lower() not in everyday
    }
