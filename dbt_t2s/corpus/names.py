"""Names that people use though the project does not: parts, descriptions, everyday synonyms.

Each name is told from every other name of the schema: a part of a name is used only where no other
thing's name holds it, another word only where the schema says that word nowhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from dbt_t2s.corpus.business_words import WORDS
from dbt_t2s.corpus.nouns import is_participle, plural, singular, unmarked
from dbt_t2s.project.schema import Column, Kind, Metric, ProjectSchema, Role, Table
from dbt_t2s.query.items import column_phrases, humanise
from dbt_t2s.query.text import STOP_WORDS, name_words, stem, stems

_LONGEST = 6  # words of a description that serves as a name
# What is lost with them is not said by the rest: "first response hours" are no response hours.
_TELLING = frozenset(
    """
    active average avg count cumulative current daily days days' earliest expected first
    fraction growth gross hours initial last latest longest lowest max maximum mean median min
    minimum minutes missing monthly new next no non not number old open percent percentage
    planned previous ratio repeat returning running second shortest share target test third
    total unique weekly without yearly ytd
    """.split()
)
_VAGUE = frozenset(
    """
    again amount area away back band bracket code comment count date day days description down end
    grams gross group hour hours id key kg kilograms kind km kw kwh level list local m2 meters
    method metres minute minutes month months name net note nr num number off out over per percent
    percentage point pre-tax pretax price rate ratio reason score second share since size start
    state status through time title total type unit until up value volume week weeks year zone
    """.split()
)
_LINKS = frozenset(
    "of per by to in for from with without and or as at on after before including excluding".split()
)
# Descriptions that are no noun phrase.
_NO_NOUN = frozenset(
    """
    who when whether where which what how if true false one each every this that these it is are was
    the see empty null always primary foreign unique surrogate not used use only calculated computed
    derived same deprecated internal legacy row rows todo tbd flag
    """.split()
)
_VERBS = re.compile(
    r"\b(is|are|was|were|has|have|had|can|may|will|should|did|does|do|ran|runs|came|comes|went|goes|"
    r"made|makes|took|takes|gave|gives|paid|pays|joined|signed|asked|said|left|got|gets|\w+ed by|"
    r"less|plus|minus|times|divided)\b"
)
_SUBJECT = re.compile(
    r"(?:whether|true (?:if|when|where)|if|is true (?:if|when))\s+"
    r"(?:it|they|(?:the|this|a|an|each) (?P<who>\w+))\s+(?P<verb>\w+)\s*(?P<rest>.*)",
    re.IGNORECASE,
)
_PLURAL_VERBS = {"is": "are", "was": "were", "has": "have", "does": "do", "goes": "go"}
_SAME_VERBS = frozenset("can may must will had did should could might needs".split()) - {"needs"}


class OtherNames:
    """Everyday names of one schema's things."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._holders: dict[str, set[tuple[str, frozenset[str]]]] = defaultdict(set)
        for owner, phrase in _all_names(schema):
            held = frozenset(stems(phrase))
            for each in held:
                self._holders[each].add((owner, held))
        self._valued = {
            stem(w) for t in schema.tables for c in t.columns for v in c.values
            for w in name_words(v)
        }  # fmt: skip

    def of_table(self, table: Table) -> tuple[str, ...]:
        """Singular nouns for a table's rows."""
        name = humanise(table.entity.removesuffix("_id")) or unmarked(humanise(table.name))
        return self._synonyms(singular(name))

    def of_column(self, column: Column, names: tuple[str, ...]) -> tuple[str, ...]:
        """More names for a column that is called ``names``."""
        if column.role in (Role.KEY, Role.FOREIGN_KEY) or not names:
            return ()
        owner = f"c:{column.name}"
        # "order" for order_date is half a name: only "delivered" has another word for it.
        whole = column.role is not Role.TIME or is_participle(names[0])
        synonyms = self._synonyms(names[0]) if whole else ()
        made = (*self._parts(owner, names), *synonyms, *self._described(column))
        return _others(made, names)

    def of_metric(self, metric: Metric, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            return ()
        owner = f"m:{metric.name}"
        return _others((*self._parts(owner, names), *self._synonyms(names[0])), names)

    def known(self, word: str) -> bool:
        """Whether some name of the schema, or a word said for one, has this stem."""
        return word in self._holders

    def is_part(self, column: Column, name: str) -> bool:
        """Whether ``name`` is half the column's own, and another thing's name holds it too."""
        own = set(stems(humanise(column.name)))
        return set(stems(name)) < own and self._ambiguous(f"c:{column.name}", stems(name))

    def _ambiguous(self, owner: str, part: Iterable[str]) -> bool:
        """Whether another thing's name holds all these stems."""
        held = [self._holders.get(each, set()) for each in part]
        return any(other != owner for other, _ in set.intersection(*held)) if held else True

    def _parts(self, owner: str, names: tuple[str, ...]) -> Iterator[str]:
        """The ends of longer names that no other name holds: ``manager`` of general manager."""
        for name in names:
            words = name.split()
            if len(words) < 2 or _LINKS & set(words):
                continue
            for at in range(1, len(words)):
                lost, part = words[:at], words[at:]
                if is_participle(words[-1]) and len(part) == 1:
                    continue
                if part[0] in _LINKS or any(w.isdigit() for w in part):
                    continue
                telling = _TELLING & set(lost) or any(map(is_participle, lost))
                if telling or set(part) <= _VAGUE | STOP_WORDS:
                    continue
                said = stems(" ".join(part))
                if set(said) <= self._valued or self._ambiguous(owner, said):
                    continue
                yield " ".join(part)

    def _synonyms(self, name: str) -> tuple[str, ...]:
        """The name with one word replaced by another that the schema uses for nothing."""
        words = name.split()
        found = []
        for at, word in enumerate(words):
            others = WORDS.get(word) or WORDS.get(singular(word), ())
            many = word not in WORDS
            for other in others:
                taken = {stem(w) for w in other.split() if w not in STOP_WORDS}
                if any(each in self._holders or each in self._valued for each in taken):
                    continue
                if len(words) > 1 and (" " in other or is_participle(word)):
                    continue
                found.append(" ".join((*words[:at], plural(other) if many else other,
                                       *words[at + 1 :])))  # fmt: skip
        return tuple(found)

    def _described(self, column: Column) -> Iterator[str]:
        """A short description that names the thing: ``number of rooms``."""
        said = re.split(r"[.;,:()\n–—]| - ", column.description.strip(), maxsplit=1)[0].strip()
        said = re.sub(r"^(the|a|an)\s+", "", said, flags=re.IGNORECASE)
        words = said.split()
        if not 1 < len(words) <= _LONGEST or not re.fullmatch(r"[A-Za-z' -]+", said):
            return
        if words[0].lower() in _NO_NOUN or column.kind is Kind.BOOLEAN or _VERBS.search(said):
            return
        text = " ".join((words[0].lower(), *words[1:]))
        telling = {stem(w) for w in text.split() if w not in STOP_WORDS} - _VAGUE
        if telling and not self._ambiguous(f"c:{column.name}", telling & set(self._holders)):
            yield text


def flag_phrases(column: Column) -> tuple[str, ...]:
    """What is true of rows whose flag is set, after ``that``: ``offer a spa`` from its description.

    Empty where the description does not say it in one plain clause.
    """
    said = re.split(r"[.;,:()\n–—]| - ", column.description.strip(), maxsplit=1)[0].strip()
    found = _SUBJECT.fullmatch(said)
    if found is None or len(said.split()) > 12:
        return ()
    verb, rest = found["verb"].lower(), found["rest"].strip()
    if re.search(r"\b(or not|their|its|if|when)\b", rest):
        rest = re.sub(r"\s*\bor not\b", "", rest)
        if re.search(r"\b(its|if|when)\b", rest):
            return ()
    if verb in _PLURAL_VERBS:
        verb = _PLURAL_VERBS[verb]
    elif verb not in _SAME_VERBS and not verb.endswith("ed"):
        if not verb.endswith("s") or verb.endswith("ss"):
            return ()
        verb = verb[:-2] if re.search(r"(sh|ch|ss|x|o)es$", verb) else verb[:-1]
    return (f"{verb} {rest}".strip(),)


def _all_names(schema: ProjectSchema) -> Iterator[tuple[str, str]]:
    """(thing, one of its names); columns that share a name are one thing."""
    for table in schema.tables:
        for name in (table.name, table.label, table.entity, *table.synonyms):
            yield f"t:{table.name}", humanise(name)
        for column in table.columns:
            for name in (*column_phrases(table, column), humanise(column.name)):
                yield f"c:{column.name}", name
    for metric in schema.metrics:
        for name in (metric.name, metric.label, *metric.synonyms):
            yield f"m:{metric.name}", humanise(name)
    for rule in schema.askable_rules:
        for name in (rule.name, *rule.synonyms):
            yield f"r:{rule.name}", humanise(name)


def _others(made: Iterable[str], names: tuple[str, ...]) -> tuple[str, ...]:
    """No more than there are names already, so that these stay the usual ones."""
    return tuple(n for n in dict.fromkeys(made) if n not in names)[: len(names) + 1]
