"""Rows for a database of the question sets, of which only the schema and gold SQL are known.

Keys are unique and references find their rows. Numbers and names rarely repeat, some rows have
more rows pointing at them than others and some none, so that "the most" is one and "without" finds
something; nothing is NULL. For every gold, rows are planted that meet the conditions of each of its
SELECTs together: the values that golds compare with exist in the real database. Questions are never
looked at.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dbt_t2s.judge import plausible
from dbt_t2s.project.schema import Column, Join, Kind, ProjectSchema, Role, Table
from dbt_t2s.query.plan import Col
from dbt_t2s.query.sql_source import Names, NotConvertedError, Source
from dbt_t2s.sql import exp, walk
from tests.tools.pretrain.golds import names_of, parsed
from tests.tools.pretrain.names import canonical

_PARENTS, _CHILDREN = 24, 60
# Of the rows that may be pointed at, this share is.
_POINTED_AT = 0.8
_CATEGORIES = 8
_COMPARED = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.Between, exp.In)

Row = dict[str, object]
# What one SELECT wants of the rows of one table: literals by column and comparison.
Wish = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class Wishes:
    """What one gold asks of the rows: for each of its SELECTs, by table."""

    selects: tuple[Mapping[str, Wish], ...]


def wishes_of(golds: Iterable[str], schema: ProjectSchema) -> tuple[Wishes, ...]:
    """The conditions of each gold that can be read; one that cannot wants nothing."""
    names = names_of(schema)
    found: list[Wishes] = []
    for gold in golds:
        try:
            tree = parsed(gold, names)
        except NotConvertedError:
            continue
        selects = tuple(_wish(each, names) for each in tree.find_all(exp.Select))
        if any(wish for each in selects for wish in each.values()):
            found.append(Wishes(selects))
    return tuple(found)


def _wish(select: exp.Select, names: Names) -> Mapping[str, Wish]:
    start = select.args.get("from_")
    relations = [start.this if start else None, *(j.this for j in select.args.get("joins") or ())]
    aliases = {
        r.alias_or_name.lower(): names.tables[canonical(r.name)]
        for r in relations
        if isinstance(r, exp.Table) and canonical(r.name) in names.tables
    }
    source = Source(names, aliases)
    found: dict[str, dict[str, list[tuple[str, str]]]] = {table: {} for table in source.tables}
    for node in walk(select):
        if not isinstance(node, _COMPARED) or node.find_ancestor(exp.Select) is not select:
            continue
        literal = _literal(node)
        if literal is None or not isinstance(node.this, exp.Column):
            continue
        try:
            column = source.column(node.this)
        except NotConvertedError:
            continue
        place = found[column.table].setdefault(column.column, [])
        place.append((type(node).__name__, literal))
    return found


def _literal(node: exp.Expr) -> str | None:
    """What a comparison compares with; the first of several."""
    given = [node.args.get(a) for a in ("expression", "low")] + list(
        node.args.get("expressions") or ()
    )
    return next((g.name.strip() for g in given if isinstance(g, exp.Literal)), None)


def rows_of(
    schema: ProjectSchema, wishes: Sequence[Wishes], seed: int
) -> dict[str, list[tuple[object, ...]]]:
    """The rows of each table, values in the order of its columns; the same for the same seed."""
    made = _Maker(schema, wishes, seed)
    return {
        table.name: [tuple(row[c.name] for c in table.columns) for row in made.rows[table.name]]
        for table in schema.tables
    }


class _Maker:
    """Rows of all tables; ``_pointing`` are (row, join, row pointed at), the last one counts."""

    def __init__(self, schema: ProjectSchema, wishes: Sequence[Wishes], seed: int) -> None:
        self._rng = random.Random(seed)
        self._tables = {table.name: table for table in schema.tables}
        self._joins = [j for j in schema.joins if j.table in self._tables]
        self._numbers: dict[Col, list[str]] = defaultdict(list)
        for place, literal in _numbers(wishes):
            self._numbers[place].append(literal)
        self.rows: dict[str, list[Row]] = {name: [] for name in self._tables}
        self._pointing: dict[tuple[int, int], tuple[Row, Join, Row]] = {}
        for name in self._tables:
            many = any(j.table == name for j in self._joins)
            for _ in range(_CHILDREN if many else _PARENTS):
                self._add(self._tables[name])
        for join in self._joins:
            self._point(join)
        for wish in wishes:
            self._plant(wish)
        for _ in range(4):  # keys that are references themselves settle after a few rounds
            for row, join, target in self._pointing.values():
                for left, right in zip(join.columns, join.to_columns, strict=True):
                    row[left] = target[right]
        self._once()

    def _once(self) -> None:
        """Drops rows whose key another has: a reference that is the key was planted twice."""
        for name, table in self._tables.items():
            if table.primary_key:
                keyed = {tuple(row[k] for k in table.primary_key): row for row in self.rows[name]}
                self.rows[name] = list(keyed.values())

    def _add(self, table: Table) -> Row:
        at = len(self.rows[table.name])
        row = {c.name: self._value(table, c, at) for c in table.columns}
        self.rows[table.name].append(row)
        return row

    def _value(self, table: Table, column: Column, at: int) -> object:
        rng, is_key = self._rng, column.name in table.primary_key
        if column.kind is Kind.BOOLEAN:
            return rng.random() < 0.5
        if column.kind in (Kind.DATE, Kind.TIMESTAMP):
            return (date(2010, 1, 1) + timedelta(days=rng.randrange(3500))).isoformat()
        if column.kind is Kind.NUMBER:
            return at + 1 if is_key else self._number(column, Col(table.name, column.name))
        values = column.values
        if is_key or _is_name(column):
            text = plausible.text(column.name, at)
            return values[at] if at < len(values) else f"{text} {at}"
        if values and rng.random() < 0.8:
            return values[int(rng.random() ** 2 * len(values))]
        if column.role is Role.TEXT:
            return f"{plausible.text(column.name, at)} {at}"
        return plausible.text(column.name, rng.randrange(_CATEGORIES))

    def _number(self, column: Column, place: Col) -> object:
        rng, near = self._rng, self._numbers.get(place, ())
        if near and rng.random() < 0.5:
            chosen = float(rng.choice(near))
            drawn = chosen + rng.randint(-3, 3) * max(1, int(abs(chosen)) // 20)
            return int(drawn) if chosen.is_integer() else round(drawn, 2)
        spoken = column.label.split() or column.name.split("_")
        if "year" in spoken:
            return rng.randint(1995, 2019)
        if "age" in spoken:
            return rng.randint(18, 80)
        return rng.randint(1, 5000)

    def _point(self, join: Join) -> None:
        """Every row of the many side to one of the other, some of which draw more than others."""
        targets = list(self.rows[join.to_table])
        self._rng.shuffle(targets)
        own = self.rows[join.table]
        if self._is_key(join):
            del own[len(targets) :]
            chosen = self._rng.sample(targets, len(own))
        else:
            targets = targets[: max(int(len(targets) * _POINTED_AT), 1)]
            weights = [1 / (1 + n) for n in range(len(targets))]
            chosen = self._rng.choices(targets, weights, k=len(own))
        for row, target in zip(own, chosen, strict=True):
            self._pointing[id(row), id(join)] = (row, join, target)

    def _is_key(self, join: Join) -> bool:
        key = self._tables[join.table].primary_key
        return bool(key) and set(key) <= set(join.columns)

    # ---- planting

    def _plant(self, wishes: Wishes) -> None:
        """Rows for one gold; its SELECTs share the rows on which they do not disagree."""
        planted: dict[str, tuple[Row, Wish]] = {}
        for select in wishes.selects:
            if len(select) < 2 and not any(select.values()):
                continue
            for name, wish in select.items():
                before = planted.get(name)
                if before is None or any(c in before[1] for c in wish):
                    planted[name] = (self._planted(self._tables[name], wish, before), wish)
                else:
                    self._set(self._tables[name], before[0], wish)
                    planted[name] = (before[0], {**before[1], **wish})
            for join in self._joins:
                if join.table in planted and join.to_table in planted:
                    self._link(join, planted)

    def _link(self, join: Join, planted: dict[str, tuple[Row, Wish]]) -> None:
        row, target = planted[join.table][0], planted[join.to_table][0]
        if self._is_key(join):
            self._pointing = {
                at: each
                for at, each in self._pointing.items()
                if not (each[1] is join and each[2] is target and each[0] is not row)
            }
        self._pointing[id(row), id(join)] = (row, join, target)

    def _planted(self, table: Table, wish: Wish, before: tuple[Row, Wish] | None) -> Row:
        for column in table.columns:
            equal = [v for operator, v in wish.get(column.name, ()) if operator == "EQ"]
            if equal and (column.name in table.primary_key or _is_name(column)):
                there = [r for r in self.rows[table.name] if str(r[column.name]) == equal[0]]
                if there:
                    self._set(table, there[0], wish)
                    return there[0]
        row = self._add(table)
        if before is not None:
            row.update({k: v for k, v in before[0].items() if k not in table.primary_key})
        for join in self._joins:
            if join.table == table.name and not self._is_key(join):
                target = self._rng.choice(self.rows[join.to_table])
                self._pointing[id(row), id(join)] = (row, join, target)
        self._set(table, row, wish)
        return row

    def _set(self, table: Table, row: Row, wish: Wish) -> None:
        for name, conditions in wish.items():
            column = table.column(name)
            for operator, literal in conditions[:1]:
                value = _meeting(column, operator, literal)
                if value is not None:
                    row[name] = value


def _numbers(wishes: Iterable[Wishes]) -> Iterator[tuple[Col, str]]:
    for gold in wishes:
        for select in gold.selects:
            for table, wish in select.items():
                for column, conditions in wish.items():
                    for _, literal in conditions:
                        if _is_number(literal):
                            yield Col(table, column), literal


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


def _is_name(column: Column) -> bool:
    """Two rows of one name are one group for some SQL and two for other."""
    return column.kind is Kind.TEXT and bool({"name", "title"} & set(column.label.split()))


def _meeting(column: Column, operator: str, literal: str) -> object | None:
    """A value of the column's kind that meets the condition; None where there is none."""
    step = {"GT": 1, "LT": -1}.get(operator, 0)
    if column.kind is Kind.NUMBER:
        if not _is_number(literal):
            return None
        number = float(literal) + step
        return int(number) if number.is_integer() else number
    if column.kind in (Kind.DATE, Kind.TIMESTAMP):
        try:
            return (date.fromisoformat(literal[:10]) + timedelta(days=step)).isoformat()
        except ValueError:
            return None
    if column.kind is Kind.BOOLEAN:
        return literal.lower() in ("1", "true", "t", "y", "yes")
    return literal.replace("%", "").replace("_", "a") if operator == "Like" else literal
