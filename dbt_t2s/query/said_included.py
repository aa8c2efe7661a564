"""What a question counts in though rules and metrics leave it out: "orders, cancelled ones too".

A rule that always holds and the filter of a metric are no more than what is usual. Where the
question's own words count in what they leave out, that part of them does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import sql as language
from dbt_t2s.project.schema import Metric, MetricFilter, ProjectSchema, Rule
from dbt_t2s.query.included import Said, included
from dbt_t2s.query.plan import Col, Flag, Plan, Pred, Value
from dbt_t2s.query.text import Word, name_words, places, stem, stems, words
from dbt_t2s.sql import exp

# Without one of these nothing is counted in.
_COUNTS_IN = re.compile(
    r"\b(?:includ(?:ed|ing)|incl|too|as\s+well|even|counting|or\s+not|regardless|irrespective|"
    r"whatever|no\s+matter)\b",
    re.IGNORECASE,
)
_WHATEVER = re.compile(
    r"\b(?:(?:regardless|irrespective)\s+of|whatever|no\s+matter(?:\s+(?:what|which))?)\s+"
    r"(?:(?:the|their|its)\s+)?(?P<what>[^\W\d_]+(?:\s+[^\W\d_]+)?)",
    re.IGNORECASE,
)
_IS = frozenset(("is", "has", "was", "are"))


@dataclass(frozen=True, order=True)
class LeftOut:
    """A value of ``table``'s column that a rule or a metric leaves out; of a flag it is "true"."""

    table: str
    column: str
    value: str
    flag: bool = False


class CountedIn:
    """Finds what questions over one schema count in."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._left_out = frozenset(_all_left_out(schema))
        self._values: dict[tuple[str, str], set[str]] = {}
        for each in self._left_out:
            if not each.flag:
                known = schema.table(each.table).column(each.column).values
                of = (each.table, each.column)
                self._values.setdefault(of, set(known)).add(each.value)
        self._nouns = {table.name: frozenset(_nouns(table.name, table.synonyms))
                       for table in schema.tables}  # fmt: skip

    def said(self, question: str) -> frozenset[LeftOut]:
        """What the question counts in."""
        if not self._left_out or _COUNTS_IN.search(question) is None:
            return frozenset()
        spoken = words(question)
        found_at = dict(self._places(spoken))
        aside = included(question, spoken, tuple(found_at))
        whatever = {stem(w) for m in _WHATEVER.finditer(question) for w in m["what"].split()}
        found = {each for said in aside for each in found_at[said]}
        found.update(e for e in self._left_out if not e.flag and stems(e.column)[-1] in whatever)
        return frozenset(found)

    def _places(self, spoken: Sequence[Word]) -> Iterator[tuple[Said, frozenset[LeftOut]]]:
        """Where the values of such columns, and such flags, are said."""
        said = [word.stem for word in spoken]
        for (table, column), values in self._values.items():
            nouns = self._nouns[table]
            for value in sorted(values):
                meant = {LeftOut(table, column, value)} & self._left_out
                for first, end in places(stems(value), said):
                    of = f"{table}.{column}"
                    yield Said(of, first, end - 1, False, nouns, bool(meant)), frozenset(meant)
        for flag in (each for each in self._left_out if each.flag):
            nouns = self._nouns[flag.table]
            name = tuple(stem(word) for word in name_words(flag.column) if word not in _IS)
            short = tuple(word for word in name if word not in nouns)
            for first, end in {*places(name, said)} or {*places(short, said)}:
                of = f"{flag.table}.{flag.column}"
                yield Said(of, first, end - 1, True, nouns, True), frozenset((flag,))


def uncounted(plan: Plan, counted: frozenset[LeftOut]) -> Plan:
    """``plan`` without conditions that want nothing but what is counted in beside the rest."""
    kept = tuple(each for each in plan.where if _wanted(each) not in counted)
    return plan if kept == plan.where else replace(plan, where=kept)


def _wanted(pred: Pred) -> LeftOut | None:
    match pred:
        case Value(table, column, value):
            return LeftOut(table, column, value)
        case Flag(Col(table, column)):
            return LeftOut(table, column, "true", True)
    return None


def counting_in(schema: ProjectSchema, counted: frozenset[LeftOut]) -> ProjectSchema:
    """The schema whose rules and metrics leave none of ``counted`` out."""
    dialect = schema.dialect
    rules = tuple(_rule_with(rule, counted, dialect) for rule in schema.rules)
    metrics = tuple(_metric_with(metric, counted, dialect) for metric in schema.metrics)
    return replace(schema, rules=tuple(r for r in rules if r.predicate), metrics=metrics)


def _all_left_out(schema: ProjectSchema) -> Iterator[LeftOut]:
    known = {(table.name, column.name) for table in schema.tables for column in table.columns}
    predicates = [(rule.predicate, rule.table) for rule in schema.askable_rules if rule.always]
    for metric in schema.metrics:
        filters = (*metric.filters, *(f for each in metric.inputs for f in each.filters))
        predicates += [(each.predicate, "") for each in filters]
    for predicate, table in predicates:
        for part in language.conjuncts(predicate, schema.dialect):
            found = _left_out(part, table, schema.dialect)
            yield from (each for each in found if (each.table, each.column) in known)


def _left_out(predicate: str, table: str, dialect: str) -> tuple[LeftOut, ...]:
    """What one condition leaves out, where it says no more than that."""
    node, denied = language.parse_one(predicate, dialect), False
    while isinstance(node, exp.Paren | exp.Not):
        denied = denied != isinstance(node, exp.Not)
        node = node.this
    if isinstance(node, exp.NEQ):
        denied = not denied
    column, values = node, ["true"]
    if isinstance(node, exp.EQ | exp.NEQ):
        column, values = node.this, _literals((node.expression,))
        if isinstance(node.expression, exp.Boolean):
            denied = denied == bool(node.expression.this)
            values = ["true"]
    elif isinstance(node, exp.In):
        column, values = node.this, _literals(node.expressions)
    if not denied or not isinstance(column, exp.Column):
        return ()
    flag = values == ["true"]
    of = column.table or table
    return tuple(LeftOut(of, column.name, value, flag) for value in values)


def _literals(nodes: Sequence[exp.Expr]) -> list[str]:
    literals = [node for node in nodes if isinstance(node, exp.Literal) and node.is_string]
    return [node.name for node in literals] if len(literals) == len(nodes) else []


def _rule_with(rule: Rule, counted: frozenset[LeftOut], dialect: str) -> Rule:
    if not rule.always:
        return rule
    return replace(rule, predicate=_with(rule.predicate, rule.table, counted, dialect))


def _metric_with(metric: Metric, counted: frozenset[LeftOut], dialect: str) -> Metric:
    inputs = tuple(
        replace(each, filters=_filters_with(each.filters, counted, dialect))
        for each in metric.inputs
    )
    return replace(metric, filters=_filters_with(metric.filters, counted, dialect), inputs=inputs)


def _filters_with(
    filters: tuple[MetricFilter, ...], counted: frozenset[LeftOut], dialect: str
) -> tuple[MetricFilter, ...]:
    made = (replace(f, predicate=_with(f.predicate, "", counted, dialect)) for f in filters)
    return tuple(each for each in made if each.predicate)


def _with(predicate: str, table: str, counted: frozenset[LeftOut], dialect: str) -> str:
    """The predicate without the conditions that leave out what is counted in."""
    kept = []
    for part in language.conjuncts(predicate, dialect):
        left_out = _left_out(part, table, dialect)
        rest = {each.value for each in left_out if each not in counted}
        if len(rest) == len(left_out):
            kept.append(part)
        elif rest:
            kept.append(_of_these(part, rest, dialect))
    return " AND ".join(kept)


def _of_these(predicate: str, values: set[str], dialect: str) -> str:
    """A condition that leaves out several values, of ``values`` alone."""
    node = language.parse_one(predicate, dialect)
    for listed in node.find_all(exp.In):
        listed.set("expressions", [each for each in listed.expressions if each.name in values])
    return language.to_sql(node, dialect)


def _nouns(name: str, synonyms: Sequence[str]) -> Iterator[str]:
    for each in (name, *synonyms):
        yield from stems(each)[-1:]
