"""What dbt tests, constraints and keys of models prove about columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dbt_t2s.project import roles
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.assertions import Fact, facts, is_cut
from dbt_t2s.project.schema import Issue, Level

__all__ = ["Evidence", "Fact", "gather"]

_REF = re.compile(r"""ref\(\s*(?:['"][^'"]+['"]\s*,\s*)?['"]([^'"]+)['"]""")
# ``db.schema.customers (id, region)``, with or without ``references``.
_WRITTEN_KEY = re.compile(r"\s*(?:references\s+)?([^\s(]+)\s*\(([^()]+)\)[^()]*", re.IGNORECASE)
_FAILED = ("fail", "warn")


@dataclass(frozen=True)
class Evidence:
    facts: tuple[Fact, ...]
    issues: tuple[Issue, ...] = ()

    @cached_property
    def _by_place(self) -> Mapping[tuple[str, str], tuple[Fact, ...]]:
        found: dict[tuple[str, str], list[Fact]] = {}
        for fact in self.facts:
            found.setdefault((fact.subject, fact.kind), []).append(fact)
        return {place: tuple(group) for place, group in found.items()}

    def of(self, subject: str, kind: str) -> tuple[Fact, ...]:
        return self._by_place.get((subject, kind), ())

    def about(self, subject: str, kind: str, column: str) -> tuple[Fact, ...]:
        """The facts of this kind about this one column alone; case does not count."""
        wanted = (column.lower(),)
        return tuple(
            fact
            for fact in self.of(subject, kind)
            if tuple(name.lower() for name in fact.columns) == wanted
        )


def gather(artifacts: Artifacts) -> Evidence:
    """Every fact of the project's tests, constraints and declared keys.

    A test that failed proves nothing; but a column with orphans still points where it is said to.
    """
    failed = {
        text(result, "unique_id"): str(result.get("status"))
        for result in items(artifacts.run_results, "results")
        if isinstance(result, dict) and result.get("status") in _FAILED
    }
    found: list[Fact] = []
    issues = _cut(artifacts)
    for test in artifacts.nodes("test"):
        said = facts(test)
        status = failed.get(text(test, "unique_id"))
        if said and status:
            said = tuple(fact for fact in said if fact.kind == "points_at")
            issues.append(_failed(test, status, bool(said)))
        found += said
    targets = _Targets(artifacts)
    for node in artifacts.nodes("model", "snapshot", "seed"):
        found += _constraint_facts(targets, node)
        found += _declared_key(node)
        found += _configured_key(node)
    return Evidence(tuple(found), tuple(issues))


def _cut(artifacts: Artifacts) -> list[Issue]:
    """One issue for all tests that do not say what they test."""
    cut = [text(test, "name") for test in artifacts.nodes("test") if is_cut(test)]
    if not cut:
        return []
    message = f"the arguments of {len(cut)} tests are missing, so they prove nothing: {cut[0]}, …"
    return [Issue(Level.WARNING, "manifest.json", message, "dbt parse with another dbt version")]


def _failed(test: Node, status: str, points: bool) -> Issue:
    how = "warned" if status == "warn" else "failed"
    what = "its join is kept, though rows point at nothing" if points else "so it proves nothing"
    return Issue(
        Level.WARNING,
        text(test, "unique_id"),
        f"this test {how} in the last run, {what}",
        f"dbt test --select {text(test, 'name')}",
    )


class _Targets:
    """Node ids by what a foreign key's ``to`` may call them: a ref's name or a relation."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._ids: dict[str, str] = {}
        for node in artifacts.nodes("model", "snapshot", "seed"):
            relation = _bare(text(node, "relation_name"))
            for name in (relation, f"ref {text(node, 'name')}"):
                self._ids.setdefault(name, text(node, "unique_id"))

    def find(self, to: str) -> str:
        """The id of the node that ``to`` names; empty where there is none."""
        ref = _REF.search(to)
        name = f"ref {ref.group(1)}" if ref else _bare(to)
        return self._ids.get(name, "") if to else ""


def _bare(relation: str) -> str:
    return relation.replace('"', "").replace("`", "").lower()


def _constraint_facts(targets: _Targets, node: Node) -> Iterator[Fact]:
    """Constraints of a model; without an enforced contract nobody checks them."""
    enforced = section(node, "contract").get("enforced") is True
    maybe = "" if enforced else "maybe_"
    subject = text(node, "unique_id")
    for constraint, columns in _constraints(node):
        kind = str(constraint.get("type") or "").lower()
        if kind in ("unique", "primary_key"):
            yield Fact(f"{maybe}unique", subject, columns, subject)
        if kind in ("not_null", "primary_key") and enforced:
            yield from (Fact("not_null", subject, (name,), subject) for name in columns)
        if kind == "check" and enforced and text(constraint, "expression"):
            written = text(constraint, "expression")
            yield Fact("expression", subject, columns, subject, expression=written)
        to, pointed = _pointed(constraint) if kind == "foreign_key" else ("", ())
        target = targets.find(to)
        if target and len(pointed) == len(columns):
            yield Fact(
                f"{maybe}points_at",
                subject,
                columns,
                subject,
                target=target,
                target_columns=pointed,
                role=roles.of_constraint(constraint, subject),
            )


def _pointed(constraint: Node) -> tuple[str, tuple[str, ...]]:
    """The relation and the columns that a foreign key names; before dbt 1.9 as SQL alone."""
    pointed = tuple(str(each) for each in items(constraint, "to_columns"))
    written = _WRITTEN_KEY.fullmatch(text(constraint, "expression"))
    if pointed or written is None:
        return text(constraint, "to"), pointed
    return written[1], tuple(name.strip(' "`') for name in written[2].split(","))


def _constraints(node: Node) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """The model's constraints and its columns', each with the columns that it is about."""
    for each in items(node, "constraints"):
        if isinstance(each, dict):
            yield each, tuple(str(name) for name in items(each, "columns"))
    for name, column in section(node, "columns").items():
        for each in items(column, "constraints") if isinstance(column, dict) else ():
            if isinstance(each, dict):
                yield each, (str(name),)


def _declared_key(node: Node) -> Sequence[Fact]:
    """The primary key that dbt itself inferred from tests of the node (since v12)."""
    key = tuple(str(each) for each in items(node, "primary_key"))
    return [Fact("primary_key", text(node, "unique_id"), key, text(node, "unique_id"))] * bool(key)


def _configured_key(node: Node) -> Iterator[Fact]:
    """What a snapshot or an incremental model is merged on.

    dbt gives each version of a snapshot's row an id of its own; the key repeats with each version.
    """
    subject, config = text(node, "unique_id"), section(node, "config")
    key = items(config, "unique_key") or (text(config, "unique_key"),)
    columns = tuple(str(each).strip() for each in key if str(each).strip())
    if node.get("resource_type") == "snapshot":
        names = section(config, "snapshot_meta_column_names")
        yield Fact("unique", subject, (text(names, "dbt_scd_id") or "dbt_scd_id",), subject)
        start = text(names, "dbt_valid_from") or "dbt_valid_from"
        if columns:
            yield Fact("maybe_unique", subject, (*columns, start), subject)
    elif columns and text(config, "materialized") == "incremental":
        yield Fact("maybe_unique", subject, columns, subject)
