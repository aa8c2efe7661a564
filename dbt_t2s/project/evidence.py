"""What dbt tests, constraints and semantic models prove about columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.schema import Issue, Level

_REF = re.compile(r"""ref\(\s*(?:['"][^'"]+['"]\s*,\s*)?['"]([^'"]+)['"]""")


@dataclass(frozen=True)
class Fact:
    """One thing that ``node`` (a test, a constraint's model) says about ``subject``'s columns.

    ``kind`` is unique, not_null, accepted_values or points_at; names are as written there.
    """

    kind: str
    subject: str
    columns: tuple[str, ...]
    node: str
    values: tuple[str, ...] = ()
    target: str = ""
    target_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    facts: tuple[Fact, ...]
    issues: tuple[Issue, ...] = ()

    @cached_property
    def _by_subject(self) -> dict[tuple[str, str], tuple[Fact, ...]]:
        """The facts by subject and kind: every column asks, so a scan would be quadratic."""
        grouped: dict[tuple[str, str], list[Fact]] = {}
        for fact in self.facts:
            grouped.setdefault((fact.subject, fact.kind), []).append(fact)
        return {key: tuple(facts) for key, facts in grouped.items()}

    def of(self, subject: str, kind: str) -> tuple[Fact, ...]:
        return self._by_subject.get((subject, kind), ())

    def about(self, subject: str, kind: str, column: str) -> tuple[Fact, ...]:
        """The facts of this kind about this one column alone; case does not count."""
        wanted = (column.lower(),)
        return tuple(
            fact
            for fact in self.of(subject, kind)
            if tuple(name.lower() for name in fact.columns) == wanted
        )


def gather(artifacts: Artifacts) -> Evidence:
    """Every fact of the project's tests and enforced constraints; failed tests prove nothing."""
    failed = {
        text(result, "unique_id")
        for result in items(artifacts.run_results, "results")
        if isinstance(result, dict) and result.get("status") == "fail"
    }
    facts: list[Fact] = []
    issues: list[Issue] = []
    for test in artifacts.nodes("test"):
        found = tuple(_test_facts(test))
        if found and text(test, "unique_id") in failed:
            issues.append(
                Issue(
                    Level.WARNING,
                    text(test, "unique_id"),
                    "this test failed in the last run, so it proves nothing",
                    f"dbt test --select {text(test, 'name')}",
                )
            )
            continue
        facts += found
    for node in artifacts.nodes("model", "snapshot", "seed"):
        facts += _constraint_facts(artifacts, node)
        facts += _declared_key(node)
    return Evidence(tuple(facts), tuple(issues))


def _test_facts(test: Node) -> Iterator[Fact]:
    metadata = section(test, "test_metadata")
    kwargs = section(metadata, "kwargs")
    name = text(metadata, "name")
    node = text(test, "unique_id")
    parents = [str(each) for each in items(section(test, "depends_on"), "nodes")]
    subject = text(test, "attached_node") or (parents[-1] if parents else "")
    column = (text(kwargs, "column_name") or text(test, "column_name")).strip('"`')
    # A test under a where clause speaks of some rows only.
    partial = bool(section(test, "config").get("where") or kwargs.get("where"))
    if not subject:
        return
    if name == "unique" and column and not partial:
        yield Fact("unique", subject, (column,), node)
    elif name == "unique_combination_of_columns" and not partial:
        combination = tuple(str(each) for each in items(kwargs, "combination_of_columns"))
        if combination:
            yield Fact("unique", subject, combination, node)
    elif name == "not_null" and column and not partial:
        yield Fact("not_null", subject, (column,), node)
    elif name == "accepted_values" and column and not partial:
        values = tuple(_plain(each) for each in items(kwargs, "values"))
        yield Fact("accepted_values", subject, (column,), node, values=values)
    elif name in ("relationships", "relationships_where") and column:
        others = [each for each in parents if each != subject]
        field = text(kwargs, "field").strip('"`')
        target = others[0] if others else subject
        if field:
            yield Fact(
                "points_at", subject, (column,), node, target=target, target_columns=(field,)
            )


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _constraint_facts(artifacts: Artifacts, node: Node) -> Iterator[Fact]:
    """Constraints of models under an enforced contract."""
    if section(node, "contract").get("enforced") is not True:
        return
    subject = text(node, "unique_id")
    listed = [
        (each, tuple(str(name) for name in items(each, "columns")))
        for each in items(node, "constraints")
        if isinstance(each, dict)
    ]
    for name, column in section(node, "columns").items():
        own = items(column, "constraints") if isinstance(column, dict) else ()
        listed += [(each, (str(name),)) for each in own if isinstance(each, dict)]
    for constraint, columns in listed:
        kind = str(constraint.get("type") or "").lower()
        if not columns:
            continue
        if kind in ("unique", "primary_key"):
            yield Fact("unique", subject, columns, subject)
        if kind in ("not_null", "primary_key"):
            yield from (Fact("not_null", subject, (name,), subject) for name in columns)
        target = _referred(artifacts, text(constraint, "to")) if kind == "foreign_key" else ""
        pointed = tuple(str(each) for each in items(constraint, "to_columns"))
        if target and len(pointed) == len(columns):
            yield Fact(
                "points_at", subject, columns, subject, target=target, target_columns=pointed
            )


def _declared_key(node: Node) -> Iterable[Fact]:
    """The primary key that dbt itself inferred from tests of the node (since v12)."""
    key = tuple(str(each) for each in items(node, "primary_key"))
    return [Fact("primary_key", text(node, "unique_id"), key, text(node, "unique_id"))] * bool(key)


def _referred(artifacts: Artifacts, to: str) -> str:
    """The id of the node that a foreign key's ``to`` (a ref or a relation) names."""
    ref = _REF.search(to)
    bare = to.replace('"', "").replace("`", "").lower()
    for node in artifacts.nodes("model", "snapshot", "seed"):
        relation = text(node, "relation_name").replace('"', "").replace("`", "").lower()
        if (ref and text(node, "name") == ref.group(1)) or (bare and relation == bare):
            return text(node, "unique_id")
    return ""
