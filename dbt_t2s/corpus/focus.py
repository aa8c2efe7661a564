"""A vocabulary that speaks of one thing: shapes that draw from it ask about little else."""

from __future__ import annotations

from dataclasses import replace

from dbt_t2s.corpus.things import edge
from dbt_t2s.corpus.vocabulary import Dimension, Vocabulary
from dbt_t2s.project.schema import Column, Metric, Table


class Focused(Vocabulary):
    """One table with few columns, one metric, one edge or one rule of a vocabulary.

    Names stay those of the whole schema: what tells a column from its namesakes must still be
    said.
    """

    def __init__(self, words: Vocabulary) -> None:
        _ = words.owners  # counted once, over all columns and not over those that are left
        vars(self).update(vars(words))  # what the schema says was read once
        self._dimensions = {}
        self._drawn = None
        self._grouped: frozenset[tuple[str, str]] | None = None

    @classmethod
    def on(cls, words: Vocabulary, thing: str) -> Focused | None:
        """The vocabulary narrowed to ``thing`` (``c:orders.status``); None for an unknown one."""
        focused = cls(words)
        sort, _, name = thing.partition(":")
        if sort == "m":
            return focused._on_metric(name)
        if sort == "j":
            return focused._on_edge(name)
        if sort == "r":
            return focused._on_rule(name)
        table, _, column = name.partition(".")
        if table not in words.tables:
            return None
        return focused._on_table(table, {column} if column else None)

    def _on_table(self, name: str, columns: set[str] | None) -> Focused:
        table = self.tables[name]
        if columns is not None:
            table = _narrow(table, columns, self.display(table))
            self._grouped = frozenset((name, column) for column in columns)
        self.tables = {**self.tables, name: table}
        self.weights = {each: float(each == name) for each in self.tables}
        self.schema = replace(self.schema, metrics=self._measuring(name))
        return self

    def _on_metric(self, name: str) -> Focused | None:
        found = tuple(m for m in self.schema.metrics if m.name == name)
        if not found:
            return None
        roots = {*self.metric_roots(found[0]), *found[0].tables}
        self.schema = replace(self.schema, metrics=found)
        self.weights = {each: float(each in roots) for each in self.tables}
        if not any(self.weights.values()):
            self.weights = dict.fromkeys(self.tables, 1.0)
        return self

    def _on_edge(self, name: str) -> Focused | None:
        many, one = (side.strip().partition(".")[0] for side in name.split("="))
        if many not in self.tables or one not in self.tables:
            return None
        others = {many, one}
        joins = (
            j
            for j in self.schema.joins
            if {j.table, j.to_table} != others or edge(j) == f"j:{name}"
        )
        self.schema = replace(self.schema, metrics=self._measuring(many), joins=tuple(joins))
        self.weights = {each: float(each in others) for each in self.tables}
        self._grouped = frozenset((one, column.name) for column in self.tables[one].columns)
        return self

    def _on_rule(self, name: str) -> Focused | None:
        found = [r for rules in self.rules.values() for r in rules if r.name == name]
        if not found:
            return None
        table = found[0].table
        focused = self._on_table(table, set())
        focused.rules = {table: tuple(found)}
        return focused

    def _measuring(self, table: str) -> tuple[Metric, ...]:
        return tuple(m for m in self.schema.metrics if self.metric_roots(m) == (table,))

    def dimensions(self, root: str) -> tuple[Dimension, ...]:
        found = super().dimensions(root)
        if self._grouped is None:
            return found
        return tuple(d for d in found if (d.table.name, d.column.name) in self._grouped)


def _narrow(table: Table, columns: set[str], display: Column | None) -> Table:
    """The table with ``columns`` and those without which it cannot be spoken of.

    Its rows lose their date, unless that is asked about: periods leave no rows where nobody looked
    at the data, and what is bare needs a question that surely has an answer.
    """
    kept = {*columns, *table.primary_key}
    if display is not None:
        kept.add(display.name)
    time = table.time_column if table.time_column in columns else ""
    held = tuple(column for column in table.columns if column.name in kept)
    return replace(table, columns=held, time_column=time)
