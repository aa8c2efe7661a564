"""Clauses that change nothing: what is not left out, and what a rule leaves out anyway.

``average price per brand, discontinued ones included`` asks for no condition, nor does ``orders in
May, no test orders`` where a rule says that test orders never count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from dbt_t2s.corpus.nouns import is_participle
from dbt_t2s.corpus.registers import is_framed
from dbt_t2s.corpus.shapes import Draft
from dbt_t2s.corpus.value_conditions import whole_value
from dbt_t2s.corpus.vocabulary import Vocabulary, singular
from dbt_t2s.project.schema import Column, Kind, Table
from dbt_t2s.query.items import humanise
from dbt_t2s.query.linear import to_tokens
from dbt_t2s.query.plan import Agg, Col, Count, MetricRef, Plan

_OFTEN = 0.06  # of the questions that may have one
_DENIED = re.compile(
    r"not (?P<no>\w+)|(?P<false>\w+) = false|(?P<column>\w+) (?:<>|!=) '(?P<value>[^']+)'", re.I
)
# What rows may be at one time and not at another: nobody says "French ones included".
_STATE = re.compile(r"(^|_)(status|state|stage|phase|outcome|result)$")
_MARKS = re.compile(r"^(?:is|was|has been) ")
_ONES = ("ones", "ones", "{noun}")
_INCLUDED = (
    "{such} included", "including {such}", "even {such}", "{such} too", "incl. {such}",
    "{such} as well", "also {such}", "counting {such} too", "not just the others but {such} too",
)  # fmt: skip
_EITHER = (
    "whether {what} or not", "{what} or not", "no matter if {what} or not",
    "regardless of whether they are {what}",
)  # fmt: skip
_LEFT_OUT = (
    "no {such}", "without {such}", "not counting {such}", "{such} excluded", "leave out {such}",
    "{such} don't count", "excluding {such}", "{such} left out", "(no {such})", "minus {such}",
)  # fmt: skip


class Asides:
    """Adds clauses about a question's rows that leave its conditions as they are."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._words = vocabulary
        self._metrics = {m.name: m for m in vocabulary.schema.metrics}

    def added(self, draft: Draft, rng: Random) -> Draft:
        """The question with such a clause at its end, now and then; its plan stays."""
        if draft.plan is None or rng.random() >= _OFTEN or is_framed(draft.text):
            return draft
        root = self._root(draft.plan)
        clause = self._clause(root, draft.plan, rng) if root is not None else ""
        if not clause:
            return draft
        asked = draft.text.rstrip()
        bare = asked.rstrip("?.! ")
        link = " " if clause.startswith("(") else rng.choice((", ", ", ", " - ", "; ", ". "))
        return replace(draft, text=f"{bare}{link}{clause}{asked[len(bare) :].strip()}")

    def _root(self, plan: Plan) -> Table | None:
        """The table whose rows are asked for, where it is but one."""
        roots: set[str] = set()
        for each in plan.select:
            match each:
                case MetricRef(name):
                    roots.update(self._words.metric_roots(self._metrics[name]))
                case Count(table):
                    roots.add(table)
                case Agg(_, of):
                    roots.add(of.table)
        if not roots:
            roots = {each.table for each in plan.select if isinstance(each, Col)}
        return self._words.tables.get(roots.pop()) if len(roots) == 1 else None

    def _clause(self, root: Table, plan: Plan, rng: Random) -> str:
        ruled = tuple(self._ruled(root))
        said = " ".join(to_tokens(plan))
        if ruled and rng.random() < 0.4:
            denied = rng.choice(ruled)
            return "" if f"{root.name}.{denied[0]}" in said else self._left_out(root, denied, rng)
        read = {name for name, _ in ruled} | self._settled(root, plan, said)
        able = [
            c
            for c in root.columns
            if c.name not in read
            and f"{root.name}.{c.name}" not in said
            and (c.kind is Kind.BOOLEAN or (c.values and _STATE.search(c.name)))
        ]
        return self._included(root, rng.choice(able), rng) if able else ""

    def _settled(self, root: Table, plan: Plan, said: str) -> set[str]:
        """The columns that the plan's metrics and rules have a condition about."""
        metrics = [self._metrics[m.name] for m in plan.select if isinstance(m, MetricRef)]
        predicates = [f.predicate for m in metrics for f in m.filters]
        rules = self._words.rules.get(root.name, ())
        predicates += [r.predicate for r in rules if r.always or f"r:{r.name}" in said]
        return set(re.findall(r"\w+", " ".join(predicates)))

    def _ruled(self, root: Table) -> Iterator[tuple[str, str]]:
        """What rules always leave out: (column, value), or (column, "") for a flag."""
        for rule in self._words.rules.get(root.name, ()):
            if not rule.always:
                continue
            for part in re.split(r"\s+and\s+", rule.predicate.strip("() "), flags=re.I):
                found = _DENIED.fullmatch(part.strip("() "))
                if found is not None:
                    name = found["no"] or found["false"] or found["column"]
                    yield name, found["value"] or ""

    def _left_out(self, root: Table, denied: tuple[str, str], rng: Random) -> str:
        column, value = denied
        said = whole_value(rng, value) if value else _flag(column)
        return rng.choice(_LEFT_OUT).format(such=self._such(root, said, rng))

    def _included(self, root: Table, column: Column, rng: Random) -> str:
        if column.kind is not Kind.BOOLEAN:
            said = whole_value(rng, rng.choice(column.values))
            return rng.choice(_INCLUDED).format(such=self._such(root, said, rng))
        said = _flag(column.name)
        if is_participle(said.split()[-1]) and rng.random() < 0.4:
            return rng.choice(_EITHER).format(what=said)
        return rng.choice(_INCLUDED).format(such=self._such(root, said, rng))

    def _such(self, root: Table, said: str, rng: Random) -> str:
        """``closed ones``, ``closed shops``; ``spam`` alone where that is said of it."""
        noun = self._words.noun(root, rng)
        words = {singular(w) for w in said.lower().split()}
        if singular(noun.split()[-1]) in words:
            return said
        return f"{said} {rng.choice(_ONES).format(noun=noun)}"


def _flag(column: str) -> str:
    """``is_test_order`` as ``test order``."""
    return _MARKS.sub("", humanise(column).lower())
