"""All business rules of a project: written, of metrics, and what its SQL, docs and tests imply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dbt_t2s import sql
from dbt_t2s.duck import Execute
from dbt_t2s.project import (
    buckets,
    contradictions,
    left_out,
    meanings,
    meta,
    pinned,
    recurring,
    rules,
)
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.asked import Asked
from dbt_t2s.project.evidence import Evidence
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.places import Places
from dbt_t2s.project.rules import Holder
from dbt_t2s.project.schema import Issue, Join, Metric, Rule, RuleKind, Table
from dbt_t2s.project.semantics import SemanticModel


@dataclass(frozen=True)
class Material:
    """What rules are found in."""

    artifacts: Artifacts
    proof: Evidence
    tables: Sequence[Table]
    joins: Sequence[Join]
    metrics: Sequence[Metric]
    models: Sequence[SemanticModel]
    asked: Sequence[tuple[str, Asked]]
    lineage: Lineage
    places: Places
    execute: Execute | None = None

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """The tables' node ids by name."""
        return {table.name: table.unique_id for table in self.tables}


def find(material: Material) -> tuple[tuple[Rule, ...], tuple[Issue, ...]]:
    """Every rule, the strongest kinds first, with unique names, and what contradicts what."""
    dialect = material.lineage.dialect
    named, issues = rules.find(
        tuple(_holders(material)),
        material.tables,
        material.joins,
        material.metrics,
        material.execute,
        dialect,
        material.places,
    )
    named, never = _with_left_out(named, material, dialect)
    used, unread = recurring.usages(material.asked, material.tables)
    cases = buckets.find(material.asked, material.tables, material.lineage)
    terms, differing = buckets.rules(cases, named, dialect)
    kept, unplaced = pinned.find(material.artifacts, material.tables)
    implied = [
        rule for usage in used for rule in recurring.rules(usage) if not _said(rule, named, dialect)
    ]
    values = [
        rule
        for table in material.tables
        for rule in meanings.find(
            table, material.artifacts.node(table.unique_id), material.proof, dialect
        )
    ]
    by_table = {usage.table.name: usage for usage in used}
    mined = [_placed(rule, material) for rule in (*implied, *terms, *values, *kept)]
    found = [*(_carried(rule, by_table, dialect) for rule in (*named, *never)), *mined]
    suggested = [i for usage in used for i in recurring.suggestions(usage, named, dialect)]
    clashes = contradictions.find(named, material.metrics, dialect)
    told = (*issues, *unread, *differing, *unplaced, *suggested, *clashes)
    return tuple(rules.uniquely_named(found)), told


def _with_left_out(
    named: Sequence[Rule], material: Material, dialect: str
) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The rules that people named, those among them that hold always told so, and others for what
    descriptions and metrics leave out everywhere."""
    conditions = rules.carried_conditions(material.metrics, dialect)
    found = (
        *left_out.documented(material.tables, conditions, dialect),
        *left_out.shared(conditions, named, dialect),
    )
    never = {(rule.table, rule.predicate): rule for rule in reversed(found)}
    told = tuple(replace(r, always=r.always or (r.table, r.predicate) in never) for r in named)
    new = (rule for rule in never.values() if not _said(rule, told, dialect))
    return told, tuple(new)


def _holders(material: Material) -> Iterator[Holder]:
    """Where people write rules: on tables' nodes, semantic models and metrics."""
    by_name = {table.name: table for table in material.tables}
    for table in material.tables:
        yield Holder(material.artifacts.node(table.unique_id), table)
    for model in material.models:
        if model.table in by_name:
            yield Holder(model.node, by_name[model.table])
    for metric in material.metrics:
        home = metric.measure.table if metric.measure else next(iter(metric.tables), "")
        node = material.artifacts.node(metric.unique_id)
        if home in by_name and items(meta.own(node), "rules"):
            yield Holder(node, by_name[home])


def _said(condition: Rule, named: Sequence[Rule], dialect: str) -> bool:
    """Whether a rule that people named says the condition, alone or among what always holds."""
    part = set(sql.conjuncts(condition.predicate, dialect))
    over = [rule for rule in named if rule.table == condition.table]
    said = ((rule, set(sql.conjuncts(rule.predicate, dialect))) for rule in over)
    return any(part == whole or (rule.always and part <= whole) for rule, whole in said)


def _carried(rule: Rule, used: Mapping[str, recurring.Usage], dialect: str) -> Rule:
    """The rule with the queries that carry it."""
    usage = used.get(rule.table)
    nodes = usage.carrying(sql.conjuncts(rule.predicate, dialect)) if usage is not None else ()
    new = tuple(node for node in nodes if node not in rule.evidence)
    return replace(rule, evidence=(*rule.evidence, *new), support=rule.support + len(new))


def _placed(rule: Rule, material: Material) -> Rule:
    """The rule with the file and line of its first evidence."""
    if not rule.evidence:
        return rule
    node = _node(rule.evidence[0], material.artifacts)
    if rule.kind is RuleKind.PINNED:
        place = material.places.in_properties(node, text(node, "name"))
    else:
        read = sql.columns_read(rule.predicate, material.lineage.dialect)
        names = [name for _, name in read]
        if rule.kind is RuleKind.VALUE:
            node = material.artifacts.node(material.ids[rule.table])
            place = material.places.in_properties(node, names[0])
        else:
            label = [f"'{each}'" for each in rule.synonyms[:1]]
            place = material.places.in_sql(node, label or names)
    return replace(rule, evidence=(*rule.evidence, place)) if place else rule


def _node(unique_id: str, artifacts: Artifacts) -> Node:
    found = section(artifacts.manifest, "unit_tests").get(unique_id)
    return found if isinstance(found, Mapping) else artifacts.node(unique_id)
