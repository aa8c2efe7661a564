"""Where something happened, if that is a table's name and a channel's too: "orders in our stores".

A project with a table of stores and orders whose channel is `store` means the channel by "in
stores", where nothing else that is asked has to do with the table. Of 124 written questions that
say such a word otherwise than as part of a name 93 mean the column it is a value of; of those that
say it after "in", "at" or "through", all ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dbt_t2s.project.schema import ProjectSchema, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import table_of, to_tokens
from dbt_t2s.query.plan import Plan, Value
from dbt_t2s.query.text import name_words, stem, stems

_WHOSE = r"(?:one\s+of\s+|any\s+of\s+|all\s+(?:of\s+)?)?(?:(?:the|our|a|an)\s+)?"
# "In which stores", "in each store" ask for the stores.
_OTHER = (
    r"(?:which|what|each|every|one|another|these|those|this|that|same|different|how|most|more|"
    r"fewer|no|per|by)"
)
_KIND = rf"(?:(?!{_OTHER}\b)[^\W\d_]+\s+)?"
_BEFORE = re.compile(
    rf"(?:\b(?:in|at|from|through|via)\s+{_WHOSE}{_KIND}|\bdid\s+(?:the|our)\s+)$", re.IGNORECASE
)
# "In the tank" is where a batch stays, and no way that it came.
_STATES = frozenset(("status", "state", "stage", "phase"))
_WORD = re.compile(r"[^\W\d_]+\b(?!\s+\d)")


@dataclass(frozen=True)
class Place:
    """A value that is what the rows of another table are called: ``words`` say either."""

    value: Value
    table: str
    words: frozenset[str]


def in_named_places(plan: Plan, text: str, schema: ProjectSchema, binder: Binder) -> Plan:
    """``plan`` held to the value that ``text`` says where it has nothing of the table so called."""
    root = binder.root(plan)
    if root is None:
        return plan
    items = [token for token in to_tokens(plan) if token[1:2] == ":"]
    tables = {table_of(item) for item in items}
    told = {word for item in items for word in _called(item, schema)}
    meant = [
        place.value
        for place in _places(schema.table(root), schema)
        if place.table not in tables
        and not any(f"{root}.{place.value.column}" in item for item in items)
        and told.isdisjoint(place.words)
        and _is_said(place, text)
    ]
    return replace(plan, where=(*plan.where, meant[0])) if len(meant) == 1 else plan


def _places(root: Table, schema: ProjectSchema) -> Iterator[Place]:
    names = {
        table.name: frozenset(stem(words[-1]) for n in (table.name, *table.synonyms)
                              if (words := name_words(n)))
        for table in schema.tables
        if table.name != root.name
    }  # fmt: skip
    ways = (each for each in root.columns if _STATES.isdisjoint(name_words(each.name)))
    for column in ways:
        for value in column.values:
            said = stems(value)
            for table, called in names.items():
                if len(said) == 1 and said[0] in called:
                    yield Place(Value(root.name, column.name, value), table, called)


def _is_said(place: Place, text: str) -> bool:
    """Whether one of the words is said as where something was done, or who did it."""
    for word in _WORD.finditer(text):
        what = word.group().lower()
        # No other form of the word: "travelled" is not where "travel" is.
        same = stem(what) in place.words and stem(what) in (what, what.removesuffix("s"))
        if same and _BEFORE.search(text[: word.start()]):
            return True
    return False


def _called(item: str, schema: ProjectSchema) -> Iterator[str]:
    """The words of what a metric, a rule or a column is called."""
    sort, name = item[0], item[2:]
    names: tuple[str, ...] = ()
    if sort == "m":
        names = next(((m.label, *m.synonyms) for m in schema.metrics if m.name == name), ())
    elif sort == "r":
        names = next((rule.synonyms for rule in schema.rules if rule.name == name), ())
    elif sort in "cv":
        name = name.partition("=")[0].partition(".")[2]
    for each in (name, *names):
        yield from stems(each)
