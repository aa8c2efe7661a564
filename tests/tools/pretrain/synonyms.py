"""Other words for a schema's names, read off questions that people asked twice.

The synonym set (Gan et al. 2021) has each question a second time with the schema's words replaced;
what was replaced by what are synonyms of the tables and columns so called.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.items import humanise
from dbt_t2s.query.text import STOP_WORDS, stems

_LONGEST = 3
_MOST = 3
Pairs = Mapping[tuple[str, ...], Counter[str]]  # a phrase's stems → what replaced it


def replaced(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """What stands in the second of two questions for what stood in the first."""
    found: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for question, other in pairs:
        old, new = question.rstrip("?. ").split(), other.rstrip("?. ").split()
        for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind != "replace" or b - a > _LONGEST or d - c > _LONGEST:
                continue
            phrase = " ".join(w.strip(",'\"?.") for w in new[c:d]).lower()
            if phrase and not set(phrase.split()) <= STOP_WORDS:
                found[stems(" ".join(old[a:b]))][phrase] += 1
    return found


def with_synonyms(schema: ProjectSchema, found: Pairs) -> ProjectSchema:
    """The schema with those synonyms at the tables and columns whose names they replace."""

    def known(name: str) -> tuple[str, ...]:
        others = found.get(stems(humanise(name)), Counter[str]())
        return tuple(w for w, _ in others.most_common(_MOST) if stems(w) != stems(name))

    tables = tuple(
        replace(
            table,
            synonyms=known(table.name),
            columns=tuple(replace(c, synonyms=known(c.name)) for c in table.columns),
        )
        for table in schema.tables
    )
    return replace(schema, tables=tables)


def pairs_by_database(
    questions: Sequence[Mapping[str, str]], others: Sequence[Mapping[str, str]]
) -> dict[str, list[tuple[str, str]]]:
    """(question, its other wording) by database; the two sets stand in the same order."""
    made: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one, other in zip(questions, others, strict=False):
        if one["db_id"] == other["db_id"] and one["question"] != other["question"]:
            made[one["db_id"]].append((one["question"], other["question"]))
    return made
