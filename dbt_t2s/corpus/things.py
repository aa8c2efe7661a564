"""What an example is about: the tables, columns, metrics, edges and rules that it touches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dbt_t2s import sql as sql_door
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.project.schema import Join, ProjectSchema
from dbt_t2s.query.plan import AGGREGATES, ARITHMETIC, COMPARISONS, GRAINS, PARTS, WRAPPERS
from dbt_t2s.query.scope import quote

OPERATORS = (
    "DISTINCT", "WHERE", "HAVING", "DESC", "ASC", "LIMIT", "PER", "TIME", *GRAINS, *PARTS, "COUNT",
    *AGGREGATES, *WRAPPERS, *ARITHMETIC, "RATE", "AVG_EACH", "NOT", "OR", *COMPARISONS, "AVERAGE",
    "ON", "NULL", "HAS", "ONLY", "DIFF", "LIKE",
)  # fmt: skip
_EQUAL = re.compile(r'((?:\w+|"[^"]+")\.(?:\w+|"[^"]+")) = ((?:\w+|"[^"]+")\.(?:\w+|"[^"]+"))')
_MARKS = re.compile(r"t2s__(.+?)__t2s\.")


class Things:
    """The things of one schema, each a name after its sort: ``t:``, ``c:``, ``m:``, ``j:``, ``r:``.

    An edge is named by its first pair of columns: ``j:orders.customer_id = customers.customer_id``.
    """

    def __init__(self, schema: ProjectSchema, words: Vocabulary) -> None:
        self.schema = schema
        self._graph = words.graph
        self._metric_tables = {m.name: words.metric_roots(m) for m in schema.metrics}
        self._filters = {f"{m.name}_filter" for m in schema.metrics}
        self._edges: dict[frozenset[str], str] = {}
        for join in schema.joins:
            if join.proven:
                self._edges.setdefault(_ends(join), edge(join))
        condition = words.binder.measures.condition
        self._always: dict[str, list[tuple[str, tuple[tuple[str, str], ...]]]] = {}
        for rule in schema.askable_rules:
            if rule.always:
                parts = sql_door.conjuncts(rule.predicate, schema.dialect)
                spelled = tuple(_spellings(condition(part, rule.table)) for part in parts)
                self._always.setdefault(rule.table, []).append((rule.name, spelled))

    def of(self, tokens: Sequence[str], sql: str) -> frozenset[str]:
        """What a question with this plan and SQL is about."""
        found = self.named(tokens)
        found.update(self._joined(tokens, sql))
        for thing in [each for each in found if each[:2] == "c:"]:
            found.add("t:" + thing[2:].partition(".")[0])
        found.update(self._implied(found, sql))
        return frozenset(found)

    def named(self, tokens: Sequence[str]) -> set[str]:
        """Of these, what the plan names."""
        return set(self._named(tokens))

    def _named(self, tokens: Sequence[str]) -> Iterator[str]:
        for token in tokens:
            sort = token[:2]
            if sort == "v:":
                yield "c:" + token[2:].partition("=")[0]
            elif sort in ("c:", "t:", "r:"):
                yield token
            elif sort == "m:":
                yield token
                yield from (f"t:{table}" for table in self._metric_tables.get(token[2:], ()))
                if f"{token[2:]}_filter" in self._filters:
                    yield f"r:{token[2:]}_filter"

    def _joined(self, tokens: Sequence[str], sql: str) -> Iterator[str]:
        for left, right in _EQUAL.findall(sql):
            pair = frozenset((left.replace('"', ""), right.replace('"', "")))
            if pair in self._edges:
                yield self._edges[pair]
        # EXISTS is written with IN: its edge leads from the table that is searched to the others.
        for at, token in enumerate(tokens[:-1]):
            if token == "HAS" or (token == "COUNT" and at and tokens[at - 1] in COMPARISONS):
                yield from self._searched(tokens[at + 1][2:], tokens)

    def _searched(self, table: str, tokens: Sequence[str]) -> Iterator[str]:
        others = {t[2:].partition(".")[0] for t in tokens if t[:2] in ("c:", "v:")}
        others |= {t[2:] for t in tokens if t[:2] == "t:"}
        for other in others - {table}:
            path = self._graph.path(table, other)
            if path and len(path) == 1 and path[0].proven:
                yield edge(path[0])

    def _implied(self, found: set[str], sql: str) -> Iterator[str]:
        """Rules that hold asked or not, where the SQL says all of their conditions."""
        for thing in [each for each in found if each[:2] == "t:"]:
            for rule, parts in self._always.get(thing[2:], ()):
                if all(any(text in sql for text in spellings) for spellings in parts):
                    yield f"r:{rule}"


def edge(join: Join) -> str:
    """The name of an edge as a thing."""
    return f"j:{join.table}.{join.columns[0]} = {join.to_table}.{join.to_columns[0]}"


def _ends(join: Join) -> frozenset[str]:
    return frozenset((f"{join.table}.{join.columns[0]}", f"{join.to_table}.{join.to_columns[0]}"))


def _spellings(marked: str) -> tuple[str, str]:
    """A marked condition as it stands in SQL over one table and over several."""
    return _MARKS.sub("", marked), _MARKS.sub(lambda m: f"{quote(m.group(1))}.", marked)
