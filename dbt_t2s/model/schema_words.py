"""Which words of a schema a question names: the index that schema slices are chosen by.

Only the standard library is used, so that it can be copied to a bare GPU machine with the rest.
"""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s.project.schema import Column, Metric, ProjectSchema, Rule, Table

_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+", re.UNICODE)
_STOP_LIST = (
    "a an and are as at be been by did do does for from had has have how i in into is it its list "
    "many me much my of on or our per show than that the their them there these they this to us "
    "was we were what when where which who whose will with you your"
)
_STOP_WORDS = frozenset(_STOP_LIST.split())
# How much a word found here says about what the question needs.
_NAME_WEIGHT, _VALUE_WEIGHT, _PROSE_WEIGHT = 2.0, 1.5, 0.5
# Beside its words, how much it says that a whole name of a table or column is in the question.
_TABLE_NAMED, _COLUMN_NAMED = 3.0, 1.0
# Layers and kinds that modellers put before a name and nobody says: dim_, fct_, stg_, rpt_.
_PREFIX_LENGTH = 4
_MISSPELT_FROM = 4
_CLOSE = 0.8


@dataclass(frozen=True)
class Named:
    """One thing's words: ``weights`` by word, ``names`` as sets of words of which each is a whole
    name of it."""

    weights: Mapping[str, float]
    names: tuple[frozenset[str], ...]


class SchemaWords:
    """The words of one schema's tables, columns, metrics and rules, and how rare they are."""

    def __init__(self, schema: ProjectSchema) -> None:
        self.columns = {table.name: tuple(map(_column, table.columns)) for table in schema.tables}
        self.tables = {
            table.name: _table(table, self.columns[table.name]) for table in schema.tables
        }
        self.metrics = {metric.name: _metric(metric) for metric in schema.metrics}
        self.rules = [_rule(rule) for rule in schema.askable_rules]
        spread = Counter(word for named in self.tables.values() for word in named.weights)
        count = max(len(schema.tables), 1)
        self._rarity = {word: math.log1p(count / seen) for word, seen in spread.items()}
        self._unseen = math.log1p(count)
        others = [*self.metrics.values(), *self.rules]
        self._known = frozenset(spread).union(*(named.weights for named in others))
        self._spelt: dict[str, str] = {}
        self._column_names = self._by_rarest_word()

    def of(self, question: str) -> frozenset[str]:
        """The question's telling words, misspelt ones as the schema spells them."""
        return frozenset(self._spell(word) for word in words_of(question))

    def score(self, words: frozenset[str], weights: Mapping[str, float]) -> float:
        """How much of what is weighted the words say; rare words say more."""
        # Sorted: a sum of floats must not depend on the order in which a set is walked.
        return sum(
            weights[word] * self._rarity.get(word, self._unseen)
            for word in sorted(words)
            if word in weights
        )

    def named(self, words: frozenset[str], names: Iterable[frozenset[str]]) -> float:
        """How rare the rarest whole name is that the words hold; 0 where they hold none."""
        return max((self._rarities(name) for name in names if name and name <= words), default=0.0)

    def table_scores(self, words: frozenset[str]) -> dict[str, float]:
        """How much a question with these words needs each table."""
        scores: dict[str, float] = {}
        for table, named in self.tables.items():
            scores[table] = self.score(words, named.weights)
            if own := self.named(words, named.names):
                scores[table] += _TABLE_NAMED * own + _TABLE_NAMED
        for word in sorted(words):
            for name, rarity, tables in self._column_names.get(word, ()):
                if name <= words:
                    for table in tables:
                        scores[table] += _COLUMN_NAMED * rarity
        return scores

    def column_score(self, words: frozenset[str], table: str, place: int) -> float:
        """How much a question with these words needs the table's column at ``place``."""
        column = self.columns[table][place]
        return self.score(words, column.weights) + self.named(words, column.names)

    def _by_rarest_word(self) -> dict[str, list[tuple[frozenset[str], float, tuple[str, ...]]]]:
        """Columns' whole names under their rarest words, with how rare they are and the tables
        that have such a column."""
        homes: dict[frozenset[str], dict[str, None]] = {}
        for table, columns in self.columns.items():
            for column in columns:
                for name in column.names:
                    homes.setdefault(name, {})[table] = None
        found: dict[str, list[tuple[frozenset[str], float, tuple[str, ...]]]] = {}
        for name, tables in homes.items():
            if name:
                rarest = max(sorted(name), key=lambda word: self._rarity.get(word, self._unseen))
                found.setdefault(rarest, []).append((name, self._rarities(name), tuple(tables)))
        return found

    def _rarities(self, name: frozenset[str]) -> float:
        return sum(self._rarity.get(word, self._unseen) for word in sorted(name))

    def _spell(self, word: str) -> str:
        if word in self._known or len(word) < _MISSPELT_FROM or word.isdigit():
            return word
        if word not in self._spelt:
            alike = sorted(known for known in self._known if abs(len(known) - len(word)) <= 2)
            near = difflib.get_close_matches(word, alike, n=1, cutoff=_CLOSE)
            self._spelt[word] = near[0] if near else word
        return self._spelt[word]


def words_of(text: str) -> list[str]:
    """The telling words of a text or an identifier (snake_case and camelCase come apart)."""
    found = (match.group().lower() for match in _WORD.finditer(text))
    return [_stem(word) for word in found if word not in _STOP_WORDS]


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _weigh(*sources: tuple[float, Iterable[str]]) -> dict[str, float]:
    """word → the most that any source in which it occurs gives it."""
    weights: dict[str, float] = {}
    for weight, texts in sources:
        for text in texts:
            for word in words_of(text):
                weights[word] = max(weights.get(word, 0.0), weight)
    return weights


def _names(*texts: str) -> tuple[frozenset[str], ...]:
    return tuple(dict.fromkeys(frozenset(words_of(text)) for text in texts if text))


def _column(column: Column) -> Named:
    spoken = (column.name, column.label, *column.synonyms)
    weights = _weigh(
        (_NAME_WEIGHT, spoken),
        (_VALUE_WEIGHT, column.values),
        (_PROSE_WEIGHT, (column.description,)),
    )
    return Named(weights, _names(*spoken))


def _table(table: Table, columns: Sequence[Named]) -> Named:
    spoken = (table.name, table.label, table.entity, *table.synonyms)
    own = _weigh((_NAME_WEIGHT * 1.5, spoken), (_PROSE_WEIGHT, (table.description,)))
    for column in columns:
        for word, weight in column.weights.items():
            own[word] = max(own.get(word, 0.0), weight)
    prefix, _, rest = table.name.partition("_")
    bare = rest if len(prefix) <= _PREFIX_LENGTH else ""
    return Named(own, _names(*spoken, bare))


def _metric(metric: Metric) -> Named:
    spoken = (metric.name, metric.label, *metric.synonyms)
    weights = _weigh((_NAME_WEIGHT, spoken), (_PROSE_WEIGHT, (metric.description,)))
    return Named(weights, _names(*spoken))


def _rule(rule: Rule) -> Named:
    spoken = (rule.name, *rule.synonyms)
    weights = _weigh((_NAME_WEIGHT, spoken), (_PROSE_WEIGHT, (rule.sentence,)))
    return Named(weights, _names(*spoken))
