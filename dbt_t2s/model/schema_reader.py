"""The part of a schema that a question needs, within a budget of characters.

What is kept is chosen by relevance and printed in the schema's order, so that two questions about
the same tables see the same text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from dbt_t2s.model.schema_lines import (
    STRUCTURAL,
    SchemaLines,
    metric_line,
    rule_line,
    size,
)
from dbt_t2s.model.schema_words import SchemaWords
from dbt_t2s.project.schema import Metric, ProjectSchema, Rule

DEFAULT_BUDGET = 4000
_ANCHORS = 5
_MAX_EXTRAS = 6
_EXTRAS_SHARE = 0.25
_SMALLEST_TABLE = 90
# Tables behind the best: their names and likeliest columns, so that none that is meant is missing.
_MOST_TABLES = 40
_BRIEF_COLUMNS = 4
_BRIEF_SHARE = 0.6
_STRUCTURAL = 1.5
# How much a table is needed whose rule is named, and one that a needed table points at.
_RULE_NAMED, _PARENT = 0.9, 0.5


def schema_slice(
    schema: ProjectSchema, question: str, budget: int = DEFAULT_BUDGET
) -> tuple[str, ...]:
    """The lines of ``schema`` that ``question`` needs, within ``budget`` characters.

    For many questions over one schema keep a ``SchemaReader``: it indexes the words once.
    """
    return SchemaReader(schema).slice(question, budget)


class SchemaReader:
    """One schema, indexed, so that slices for thousands of questions are cheap."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._schema = schema
        self._words = SchemaWords(schema)
        self._rules = schema.askable_rules
        self._neighbours = _neighbours(schema)
        self._parents = _parents(schema)
        self._structural = {
            table.name: [_STRUCTURAL * (column.role in STRUCTURAL) for column in table.columns]
            for table in schema.tables
        }
        self.lines = SchemaLines(schema)
        self._joins = self.lines.joins(frozenset(table.name for table in schema.tables))
        whole = [self.lines.whole(table.name) for table in schema.tables]
        self._everything = size((*whole, *self._joins))

    def slice(self, question: str, budget: int = DEFAULT_BUDGET) -> tuple[str, ...]:
        """Tables by the words they share with the question, the joins between them, and the
        metrics and rules that fit."""
        words = self._words.of(question)
        metrics = self._matching_metrics(words)
        rules = self._matching_rules(words)
        needed, others, scored = self._table_order(words, metrics, rules)
        # A rule that always holds comes with its table, asked for or not.
        always = [rule for rule in self._rules if rule.always and rule.table in needed]
        told = [*always, *(rule for rule in rules if rule not in always)]
        header = self.lines.header()
        extras = _fitting(
            [*map(rule_line, always), *map(metric_line, metrics), *map(rule_line, told)],
            int(budget * _EXTRAS_SHARE),
        )
        room = budget - size((header, *extras))
        blocks, joined = self._fill(needed, others, scored, words, room)
        tables = [blocks[table.name] for table in self._schema.tables if table.name in blocks]
        left = room - size((*tables, *joined))
        more = [line for line in self.lines.joins(frozenset(blocks)) if line not in joined]
        return (header, *tables, *joined, *_fitting(more, left, len(more)), *extras)

    def order(self, question: str) -> tuple[str, ...]:
        """All tables, those that the question needs most first."""
        words = self._words.of(question)
        metrics, rules = self._matching_metrics(words), self._matching_rules(words)
        needed, others, _ = self._table_order(words, metrics, rules)
        return (*needed, *others)

    def _matching_metrics(self, words: frozenset[str]) -> list[Metric]:
        index = self._words
        scored = [
            (
                index.score(words, index.metrics[m.name].weights)
                + index.named(words, index.metrics[m.name].names),
                m,
            )
            for m in self._schema.metrics
        ]
        scored.sort(key=lambda pair: (-pair[0], pair[1].name))
        return [metric for score, metric in scored if score > 0]

    def _matching_rules(self, words: frozenset[str]) -> list[Rule]:
        pairs = zip(self._words.rules, self._rules, strict=True)
        scored = [(self._words.score(words, named.weights), rule) for named, rule in pairs]
        scored.sort(key=lambda pair: (-pair[0], pair[1].name))
        return [rule for score, rule in scored if score > 0]

    def _table_order(
        self, words: frozenset[str], metrics: Sequence[Metric], rules: Sequence[Rule]
    ) -> tuple[list[str], list[str], int]:
        """(the best matches with the tables that bridge them, all others, how many of these the
        question speaks of), most useful first."""
        index = self._words
        scores = index.table_scores(words)
        top = max(scores.values(), default=0.0)
        for metric in metrics[:3]:
            named = index.metrics[metric.name]
            # A metric that is named needs its tables, however little else speaks for them.
            sure = top if index.named(words, named.names) else 0.0
            for name in metric.tables:
                if name in scores:
                    scores[name] = max(scores[name], sure) + index.score(words, named.weights)
        for rule in rules[:3]:
            if rule.table in scores:
                scores[rule.table] += 1.0
        for rule, its_words in zip(self._rules, index.rules, strict=True):
            # So does a rule that is named; many tables may have one of that name.
            if rule.table in scores and index.named(words, its_words.names):
                scores[rule.table] = max(scores[rule.table], _RULE_NAMED * top)
        for name in sorted(scores, key=lambda name: (-scores[name], name))[:_ANCHORS]:
            for parent in self._parents.get(name, ()):
                scores[parent] = max(scores[parent], _PARENT * scores[name])
        ranked = sorted(scores, key=lambda name: (-scores[name], name))
        anchors = [name for name in ranked[:_ANCHORS] if scores[name] > 0]
        needed: list[str] = []
        for name in anchors:
            bridge = self._path(anchors[0], name) if name != anchors[0] else ()
            needed.extend(step for step in (name, *bridge) if step not in needed)
        others = [name for name in ranked if name not in needed]
        return needed, others, sum(scores[name] > 0 for name in others)

    def _path(self, start: str, goal: str) -> tuple[str, ...]:
        """The tables strictly between two tables on the shortest chain of joins (none if apart)."""
        came_from: dict[str, str] = {start: start}
        queue = deque([start])
        while queue and goal not in came_from:
            here = queue.popleft()
            for there in self._neighbours.get(here, ()):
                if there not in came_from:
                    came_from[there] = here
                    queue.append(there)
        if goal not in came_from:
            return ()
        steps: list[str] = []
        step = came_from[goal]
        while step != start:
            steps.append(step)
            step = came_from[step]
        return tuple(steps)

    def _fill(
        self,
        needed: Sequence[str],
        others: Sequence[str],
        scored: int,
        words: frozenset[str],
        room: int,
    ) -> tuple[dict[str, str], list[str]]:
        """(table lines, the joins that must be there): everything whole where that fits; else a
        part of the room tells many tables in brief, and those that are needed share the rest, the
        small ones whole and the wide ones cut."""
        if self._everything <= room:
            return {name: self.lines.whole(name) for name in (*needed, *others)}, self._joins

        def said(table: str, place: int) -> float:
            return self._words.column_score(words, table, place)

        def use(table: str, place: int) -> float:
            return said(table, place) + self._structural[table][place]

        first = list(needed or others[:1])
        most = int(room * _BRIEF_SHARE)
        while len(first) > 1 and self._left(first, room - most) < _SMALLEST_TABLE * len(first):
            first.pop()
        joins = self.lines.joins(frozenset(first))
        blocks: dict[str, str] = {}
        for name in dict.fromkeys((*first, *needed, *others[:scored])):
            line = self.lines.brief(name, said, _BRIEF_COLUMNS)
            within = room - size(joins) if name in first else most
            if not blocks or size((*blocks.values(), line)) <= within:
                blocks[name] = line
            if len(blocks) == _MOST_TABLES:
                break
        left = room - size((*blocks.values(), *joins))
        # The narrow ones first: what they leave over widens the others.
        sizes = {name: len(self.lines.whole(name)) for name in first if name in blocks}
        chosen = sorted(sizes, key=lambda name: (sizes[name], name))
        for done, name in enumerate(chosen):
            share = left // (len(chosen) - done) + len(blocks[name])
            line = self.lines.cut(name, use, share)
            if len(line) <= share:
                left -= len(line) - len(blocks[name])
                blocks[name] = line
        return blocks, joins

    def _left(self, names: Sequence[str], room: int) -> int:
        """What of ``room`` the joins between these tables leave for the tables themselves."""
        return room - size(self.lines.joins(frozenset(names)))


def _fitting(lines: Iterable[str], room: int, most: int = _MAX_EXTRAS) -> list[str]:
    """The first lines, without repeats, that fit."""
    kept: list[str] = []
    for line in dict.fromkeys(lines):
        if len(kept) < most and size((*kept, line)) <= room:
            kept.append(line)
    return kept


def _neighbours(schema: ProjectSchema) -> dict[str, tuple[str, ...]]:
    edges: dict[str, set[str]] = {}
    for join in schema.joins:
        edges.setdefault(join.table, set()).add(join.to_table)
        edges.setdefault(join.to_table, set()).add(join.table)
    return {name: tuple(sorted(others)) for name, others in edges.items()}


def _parents(schema: ProjectSchema) -> dict[str, tuple[str, ...]]:
    """What each table's rows point at."""
    edges: dict[str, set[str]] = {}
    for join in schema.joins:
        edges.setdefault(join.table, set()).add(join.to_table)
    return {name: tuple(sorted(others)) for name, others in edges.items()}
