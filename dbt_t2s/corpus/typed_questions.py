"""Questions for one attribute of one thing that say its type, not its name: who, when, how much.

``what does X cost`` asks for a price only where the table has one price: a kind of attribute that
two columns share is asked for by name.
"""

from __future__ import annotations

from dbt_t2s.corpus.nouns import is_participle
from dbt_t2s.project.schema import Column, Kind, Role, Table
from dbt_t2s.query.text import name_words

_PEOPLE = frozenset(
    "manager owner director head leader author contact supervisor agent doctor teacher artist "
    "coach captain chef host president editor".split()
)
# (words of a column's name, of which kind, questions for it; {v} is the thing's name)
_TYPES: tuple[tuple[str, Kind, tuple[str, ...]], ...] = (
    (
        "price fee rent fare",
        Kind.NUMBER,
        ("how much is {v}", "what does {v} cost", "how much does {v} cost", "how expensive is {v}"),
    ),
    ("age", Kind.NUMBER, ("how old is {v}",)),
    ("weight", Kind.NUMBER, ("how heavy is {v}", "what does {v} weigh")),
    ("height altitude elevation", Kind.NUMBER, ("how high is {v}", "how tall is {v}")),
    ("area size sqm m2", Kind.NUMBER, ("how big is {v}", "how large is {v}")),
    ("duration runtime", Kind.NUMBER, ("how long is {v}", "how long does {v} take")),
    ("distance", Kind.NUMBER, ("how far is {v}",)),
    ("speed", Kind.NUMBER, ("how fast is {v}",)),
    ("capacity seats", Kind.NUMBER, ("how many fit into {v}", "how many can {v} take")),
    ("budget cost", Kind.NUMBER, ("how much money does {v} get", "what does {v} cost us")),
    ("city town", Kind.TEXT, ("where is {v}", "in which city is {v}", "which city is {v} in")),
    ("country", Kind.TEXT, ("in which country is {v}", "which country is {v} in")),
    ("email mail", Kind.TEXT, ("how do i reach {v} by mail", "where do i write to {v}")),
)
_IN_CHARGE = ("who runs {v}", "who is in charge of {v}", "who is responsible for {v}")
_COUNTED = frozenset(("count", "number", "num", "no"))


def typed(table: Table, column: Column, value: str) -> tuple[str, ...]:
    """Questions for ``column`` of the row called ``value`` by the type of what is asked."""
    said = frozenset(name_words(column.name))
    in_charge = (" ".join(_PEOPLE), Kind.TEXT, _IN_CHARGE)
    for marks, kind, questions in (*_TYPES, in_charge):
        wanted = frozenset(marks.split())
        if column.kind is kind and wanted & said:
            alike = [c for c in table.columns if wanted & frozenset(name_words(c.name))]
            return tuple(q.format(v=value) for q in questions) if len(alike) == 1 else ()
    return ()


def named(table: Table, column: Column, value: str, name: str) -> tuple[str, ...]:
    """Questions for ``column``, called ``name``, that fit its type."""
    words = name.split()
    if column.role is Role.TIME:
        if len(words) == 1 and is_participle(name):
            return (f"when was {value} {name}", f"{value} was {name} when", f"{name} when? {value}")
        return (f"when is the {name} of {value}", f"{value} {name}", f"when is {value}'s {name}")
    if column.kind is Kind.NUMBER and _COUNTED & frozenset(name_words(column.name)):
        return (f"how many {name} does {value} have", f"{value}: how many {name}")
    if column.role is Role.CATEGORY:
        return (
            f"which {name} is {value}",
            f"what {name} is {value} in",
            f"which {name} does {value} have",
        )
    if frozenset(name_words(column.name)) & _PEOPLE or column.personal:
        return (f"who is the {name} of {value}", f"who is {value}'s {name}")
    return (f"{value} {name}", f"{name} {value}")
