"""One schema as lines of text: what a language model reads of its tables, joins and metrics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from dbt_t2s.project.schema import Column, Metric, ProjectSchema, Role, Rule, Table

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_BACKTICK_DIALECTS = frozenset({"bigquery", "databricks", "spark", "mysql"})
_VALUES_SHOWN = 8
_DESCRIPTION_CHARS = 90
STRUCTURAL = frozenset({Role.KEY, Role.FOREIGN_KEY, Role.TIME})

# (table, place of one of its columns) → how much a question needs that; more is better.
Use = Callable[[str, int], float]


class SchemaLines:
    """The lines of one schema; whole tables are written once, as thousands of prompts want them."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._schema = schema
        self._tables = {table.name: table for table in schema.tables}
        self._whole: dict[str, str] = {}

    def header(self) -> str:
        """The dialect, the day that "today" means, and when the fiscal year starts."""
        today = f", today is {self._schema.as_of}" if self._schema.as_of else ""
        fiscal = f", {self._schema.fiscal_year.sentence}" if self._schema.fiscal_year else ""
        return f"dialect {self._schema.dialect}{today}{fiscal}"

    def everything(self) -> tuple[str, ...]:
        """The whole schema: every table with all its columns, every join, metric and rule."""
        names = frozenset(self._tables)
        return (
            self.header(),
            *(self.whole(table.name) for table in self._schema.tables),
            *self.joins(names),
            *(metric_line(metric) for metric in self._schema.metrics),
            *dict.fromkeys(rule_line(rule) for rule in self._schema.askable_rules),
        )

    def whole(self, name: str) -> str:
        """A table's line with every column."""
        if name not in self._whole:
            head, texts = self._parts(self._tables[name])
            self._whole[name] = f"{head} ({', '.join(texts)})"
        return self._whole[name]

    def cut(self, name: str, use: Use, room: int) -> str:
        """A table's line in at most ``room`` characters: its most useful columns, at least one."""
        whole = self.whole(name)
        if len(whole) <= room:
            return whole
        table = self._tables[name]
        head, texts = self._parts(table)
        ranks = sorted(range(len(texts)), key=lambda i: (-use(name, i), i))
        kept: set[int] = set()
        used = len(head) + len(" (, 999 columns more)")
        for i in ranks:
            if used + len(texts[i]) + 2 <= room or not kept:
                kept.add(i)
                used += len(texts[i]) + 2
        shown = ", ".join(texts[i] for i in sorted(kept))
        return f"{head} ({shown}, {len(texts) - len(kept)} columns more)"

    def brief(self, name: str, use: Use, most: int) -> str:
        """A table's name and the bare names of its useful columns, ``most`` of them."""
        table = self._tables[name]
        uses = [use(name, place) for place in range(len(table.columns))]
        ranks = sorted((i for i in range(len(uses)) if uses[i] > 0), key=lambda i: (-uses[i], i))
        shown = [self._name(table.columns[i].name) for i in sorted(ranks[:most])]
        more = len(table.columns) - len(shown)
        rest = [f"{more} columns{' more' if shown else ''}"] if more else []
        return f"{self._title(table)} ({', '.join([*shown, *rest])})"

    def joins(self, shown: frozenset[str]) -> list[str]:
        """The joins between the tables that are shown."""
        lines: list[str] = []
        for join in self._schema.joins:
            if join.table not in shown or join.to_table not in shown:
                continue
            left, right = self._tables[join.table].relation, self._tables[join.to_table].relation
            pairs = zip(join.columns, join.to_columns, strict=True)
            on = " and ".join(f"{left}.{self._name(a)} = {right}.{self._name(b)}" for a, b in pairs)
            lines.append(f"join {on}")
        return list(dict.fromkeys(lines))

    @staticmethod
    def _title(table: Table) -> str:
        named = "" if table.relation.split(".")[-1] == table.name else f" [{table.name}]"
        return f"table {table.relation}{named}"

    def _parts(self, table: Table) -> tuple[str, list[str]]:
        """``table relation [name]: what it is``, and each column's text."""
        about = _prose(table.description) or (f"one row per {table.entity}" if table.entity else "")
        head = f"{self._title(table)}{': ' + about if about else ''}"
        return head, [self._column(table, column) for column in table.columns]

    def _column(self, table: Table, column: Column) -> str:
        parts = [self._name(column.name), column.type.lower() or column.kind.value]
        if column.name in table.primary_key:
            parts.append("key")
        if column.values and not column.personal:
            values = column.values[:_VALUES_SHOWN]
            shown = " ".join(f"'{one_line(value)[:40]}'" for value in values)
            more = len(column.values) > _VALUES_SHOWN or not column.values_complete
            parts.append(f"{shown} ..." if more else shown)
        note = _prose(column.description)
        if note and not set(note.lower().split()) <= set(column.name.lower().split("_")):
            parts.append(f"-- {note}")
        return " ".join(parts)

    def _name(self, name: str) -> str:
        if _PLAIN_NAME.match(name):
            return name
        mark = "`" if self._schema.dialect in _BACKTICK_DIALECTS else '"'
        return mark + name.replace(mark, mark * 2) + mark


def metric_line(metric: Metric) -> str:
    """``metric name = definition -- what it is``."""
    about = _prose(metric.description)
    return f"metric {metric.name} = {_definition(metric)}{' -- ' + about if about else ''}"


def _definition(metric: Metric) -> str:
    """A metric in one line of SQL-like text; MetricFlow's own SQL where nothing shorter is true."""
    where = " and ".join(part.predicate for part in metric.filters)
    tail = f" where {one_line(where)}" if where else ""
    if metric.measure:
        measure = metric.measure
        time = f" by {measure.time_column}" if measure.time_column else ""
        return f"{measure.aggregation}({measure.expression}) over {measure.table}{time}{tail}"
    if metric.expression:
        inputs = ", ".join(f"{item.alias} is {item.metric}" for item in metric.inputs)
        return f"{one_line(metric.expression)} with {inputs}{tail}"
    if metric.compiled:
        return one_line(min(metric.compiled, key=lambda item: len(item.sql)).sql)
    return f"{metric.type} metric{tail}"


def rule_line(rule: Rule) -> str:
    """``rule name: table where predicate -- sentence``."""
    kind = "always rule" if rule.always else "rule"
    what = f"{rule.table} where {one_line(rule.predicate)}"
    return f"{kind} {one_line(rule.name)}: {what} -- {_prose(rule.sentence)}"


def size(lines: Iterable[str]) -> int:
    """Characters of the lines with their line ends."""
    return sum(len(line) + 1 for line in lines)


def one_line(text: str) -> str:
    return " ".join(text.split())


def _prose(text: str) -> str:
    """A description's first sentence, short: docs are written for people and run to pages."""
    line = one_line(text)
    first = re.split(r"(?<=[.!?])\s", line, maxsplit=1)[0].rstrip(".")
    return first if len(first) <= _DESCRIPTION_CHARS else first[: _DESCRIPTION_CHARS - 3] + "..."
