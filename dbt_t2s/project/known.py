"""What is known of the relations that a statement reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dbt_t2s.project.schema import Relation, Role, Table
from dbt_t2s.sql import exp

_QUOTES = re.compile(r'["`\[\]]')


@dataclass(frozen=True)
class Known:
    """The relations that the schema knows, by their names without quotes in lower case.

    ``names`` are what the schema calls its tables, ``columns`` the lower-case columns of these and
    of the relations behind them, with what each of a table's is for; ``public`` those of each table
    that hold no personal data. A relation is found by its last parts too where they name one alone.
    """

    names: Mapping[str, str]
    columns: Mapping[str, Mapping[str, Role | None]]
    dialect: str
    public: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def relation(self, table: exp.Table) -> str:
        """The key that ``table`` has here, or its own name where the schema has no such table."""
        parts = [part.name for part in table.parts if isinstance(part, exp.Identifier)]
        return ".".join(parts).lower()

    def name(self, relation: str) -> str:
        """The schema's name for a relation; the last part of any other relation's."""
        return self.names.get(relation) or relation.rpartition(".")[2]

    def is_public(self, place: str) -> bool:
        """Whether the column ``relation.column`` is a table's and holds no personal data."""
        relation, _, name = place.rpartition(".")
        return name.lower() in self.public.get(self.names.get(relation, ""), ())

    def role(self, place: str) -> Role | None:
        """What the column ``relation.column`` is for, if the schema has it."""
        relation, _, name = place.rpartition(".")
        return self.columns.get(relation, {}).get(name.lower())


def known_of(tables: Iterable[Table], relations: Iterable[Relation], dialect: str) -> Known:
    """What is known of a schema's tables and of the ``relations`` behind them."""
    names: dict[str, str] = {}
    columns: dict[str, Mapping[str, Role | None]] = {}
    public: dict[str, frozenset[str]] = {}
    for table in tables:
        relation = relation_key(table.relation)
        open_ones = (column.name.lower() for column in table.columns if not column.personal)
        public[table.name] = frozenset(open_ones)
        names[relation] = table.name
        columns[relation] = {column.name.lower(): column.role for column in table.columns}
    behind: dict[str, Mapping[str, Role | None]] = {
        relation_key(each.name): dict.fromkeys(name.lower() for name in each.columns)
        for each in relations
    }
    short = _short(columns)
    names |= {name: names[relation] for name, relation in short.items()}
    columns |= {name: columns[relation] for name, relation in short.items()}
    # Where two are called alike, the one that people may ask for is meant.
    behind |= {name: behind[relation] for name, relation in _short(behind).items()}
    return Known(names, {**behind, **columns}, dialect, public)


def relation_key(relation: str) -> str:
    """A relation's name without quotes and case, which people write as they like."""
    return _QUOTES.sub("", relation).lower()


def _short(relations: Iterable[str]) -> dict[str, str]:
    """Relations by their last parts, where these name one alone."""
    found: dict[str, list[str]] = {}
    whole = set(relations)
    for relation in whole:
        parts = relation.split(".")
        for start in range(1, len(parts)):
            found.setdefault(".".join(parts[start:]), []).append(relation)
    return {name: each[0] for name, each in found.items() if len(each) == 1 and name not in whole}
