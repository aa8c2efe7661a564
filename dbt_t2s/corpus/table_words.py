"""How tables and columns may be called, and what is said of rows: what they did, and when."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from dbt_t2s.corpus.business_words import ALONE, HAPPENS, LASTING, PEOPLE, PLACES
from dbt_t2s.corpus.names import OtherNames
from dbt_t2s.corpus.nouns import (
    is_participle,
    is_sum,
    plural,
    records,
    rows_of,
    singular,
    unmarked,
)
from dbt_t2s.project.privacy import may_be_personal
from dbt_t2s.project.schema import Column, ProjectSchema, Role, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import UNSAID, column_phrases, humanise
from dbt_t2s.query.naming import display_column, tells_rows_apart
from dbt_t2s.query.plan import Col
from dbt_t2s.query.text import name_words, stem

# How dates of many things that a row stands for begin, of which they are one.
_OUTERMOST = frozenset("last first latest earliest recent most".split())
_TIMES = frozenset("date day week month quarter year time timestamp hour deadline birthday".split())


class TableWords:
    """Names of one schema's tables and columns; what may be personal is withheld."""

    def __init__(self, schema: ProjectSchema) -> None:
        self.schema = withheld(schema)
        self.binder = Binder(self.schema)
        self.graph = self.binder.graph
        self.tables = {t.name: t for t in self.schema.tables}
        self.others = OtherNames(self.schema)
        self._displays = {t.name: display_column(t) for t in self.schema.tables}
        self._columns: dict[tuple[str, str], tuple[str, ...]] = {}
        self._lasting: dict[str, bool] = {}
        self._tellers: dict[tuple[str, Col], bool] = {}
        self._nouns = {t.name: self._all_nouns(t) for t in self.schema.tables}

    def nouns(self, table: Table) -> tuple[str, ...]:
        """Plural names of a table's rows, the usual one first."""
        names = [unmarked(humanise(table.name))]
        if table.label:
            names.append(table.label.lower())
        if table.entity and not table.entity.endswith("_id") and table.entity in table.name:
            names.append(humanise(table.entity))
        names.extend(s.lower() for s in table.synonyms)
        return tuple(dict.fromkeys(plural(singular(n)) for n in names if n))

    def _all_nouns(self, table: Table) -> tuple[str, ...]:
        own = self.nouns(table)
        others = (plural(n) for n in self.others.of_table(table))
        said = records if is_sum(own[0]) else rows_of  # "sales" for revenue is no plural of sale
        return tuple(dict.fromkeys((*map(rows_of, own), *map(said, others))))

    def noun(self, table: Table, rng: Random) -> str:
        return first_often(self._nouns[table.name], rng)

    def people(self, table: Table) -> bool:
        """Whether the table's rows are people, of whom one says "who"."""
        return singular(self.nouns(table)[0]).rpartition(" ")[2] in PEOPLE

    def place(self, table: Table) -> bool:
        """Whether the table's rows are places, where things happen."""
        return singular(self.nouns(table)[0]).rpartition(" ")[2] in PLACES

    def display(self, table: Table) -> Column | None:
        """The column that names a row to a person."""
        return self._displays[table.name]

    def happened(self, table: Table) -> tuple[str, ...]:
        """What rows of a table did on their usual day: ``were placed``, ``did we get``.

        Not what another of its dates is called: tickets "closed in May" have that day.
        """
        others = {
            stem(w)
            for c in table.columns
            if c.role in (Role.TIME, Role.FLAG, Role.CATEGORY) and c.name != table.time_column
            for name in (c.name, *(c.values if c.role is Role.CATEGORY else ()))
            for w in name_words(name)
        }
        own = table.column(table.time_column) if table.time_column else None
        made = [n if n in ALONE else f"were {n}"
                for n in (self.column_names(table, own) if own else ())
                if " " not in n and n.endswith("ed")]  # fmt: skip
        last = singular(self.nouns(table)[0]).rpartition(" ")[2]
        verbs = (*made, *HAPPENS.get(last, ()))
        told = (v for v in verbs if not any(stem(w) in others for w in v.split()))
        return tuple(dict.fromkeys(told))

    def lasts(self, table: Table) -> bool:
        """Whether the table's rows last, so that a period needs a verb: ``opened in May``.

        So do those of a table with one row for each of them, and those dated by what came last.
        """
        known = self._lasting.get(table.name)
        if known is None:
            whole = self.schema.table(table.name)
            ones = (self.schema.table(each) for each in self.graph.reachable(table.name))
            known = _is_lasting(self.nouns(whole)) or bool(self.outermost(whole))
            known = known or any(
                _is_lasting(self.nouns(one))
                and len(one.primary_key) == 1
                and self.tells_rows(table.name, Col(one.name, one.primary_key[0]))
                for one in ones
            )
            self._lasting[table.name] = known
        return known

    def outermost(self, table: Table) -> tuple[str, ...]:
        """Names of the usual date where it is but the last or first of many: ``last visit``."""
        own = table.column(table.time_column) if table.time_column else None
        names = self.column_names(table, own) if own else ()
        return tuple(n for n in names if n.split()[0] in _OUTERMOST)

    def began(self, table: Table) -> tuple[str, ...]:
        """How the usual day of lasting rows is said after them: ``that joined``, ``launched``."""
        if outermost := self.outermost(table):
            dated = (f"{n} date" if is_participle(n.split()[-1]) else n for n in outermost)
            return tuple(f"whose {n} was" for n in dated)
        own = table.column(table.time_column) if table.time_column else None
        names = self.column_names(table, own) if own else ()
        made = tuple(n for n in names if is_participle(n))
        return (*made, *(f"that {v}" for v in self.happened(table) if not v.startswith("did")))

    def keyed(self, noun: str, number: str, rng: Random) -> str:
        """A row by the number that is its key: ``order 1204``, ``order #1204``."""
        link = rng.choice((" ", " ", " ", " ", " #", " no. ", " number ", " no ", " id ", " nr "))
        return f"{noun}{link}{number}"

    def column_names(self, table: Table, column: Column) -> tuple[str, ...]:
        """Names that people say: without the units and types that names of columns carry."""
        known = self._columns.get((table.name, column.name))
        if known is None:
            names = column_phrases(table, column)
            spoken = tuple(
                n for n in names
                if n.split()[-1] not in UNSAID and n.split()[0] != "is"
                and n.split()[-1] != "to"
            )  # fmt: skip
            known = spoken or names[:1]
            known = (*known, *self.others.of_column(column, known))
            if column.role is Role.TIME:
                known = tuple(dict.fromkeys(map(_dated, known)))
            self._columns[table.name, column.name] = known
        return known

    def tells_rows(self, root: str, of: Col) -> bool:
        """Whether a value of the column is that of one row of ``root`` or hardly more."""
        known = self._tellers.get((root, of))
        if known is None:
            path = self.graph.path(root, of.table)
            steps = [Col(j.table, c) for j in path or () for c in j.columns]
            known = path is not None and all(
                tells_rows_apart(self.schema.table(c.table), self._whole(c)) for c in (*steps, of)
            )
            self._tellers[root, of] = known
        return known

    def _whole(self, of: Col) -> Column:
        return self.schema.table(of.table).column(of.column)


def withheld(schema: ProjectSchema) -> ProjectSchema:
    """The schema without the values of what may be personal, by which nothing is grouped then."""
    tables = tuple(replace(t, columns=tuple(map(_withheld, t.columns))) for t in schema.tables)
    return replace(schema, tables=tables)


def _withheld(column: Column) -> Column:
    return replace(column, role=Role.TEXT, values=()) if may_be_personal(column) else column


def _is_lasting(nouns: tuple[str, ...]) -> bool:
    return singular(nouns[0]).rpartition(" ")[2] in LASTING


def _dated(name: str) -> str:
    """``order date`` for a date that is called as a thing is; ``delivered`` can stand alone."""
    last = name.split()[-1]
    told = is_participle(last) or last in ALONE or _TIMES & set(name.split())
    return name if told else f"{name} date"


def first_often(names: tuple[str, ...], rng: Random) -> str:
    """One of ``names``, the first about as often as all others together."""
    return names[0] if len(names) == 1 or rng.random() < 0.5 else rng.choice(names[1:])
