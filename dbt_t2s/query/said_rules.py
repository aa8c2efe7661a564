"""A rule whose whole name is said is meant, and no value in its words.

"Customers with an active subscription" means what the project calls an active subscription, paused
for less than 30 days included, and not the state "active" alone. Of 3,112 written questions that
say such a name three use a value of its table instead.
"""

from __future__ import annotations

from dataclasses import replace

from dbt_t2s import sql as language
from dbt_t2s.project.schema import ProjectSchema, Rule
from dbt_t2s.query.plan import Has, Not, Plan, Pred, RuleRef, Value
from dbt_t2s.query.text import places, stems


def by_rule(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` with the rules that ``text`` names for values that are part of them."""
    spoken = stems(text)
    named = [rule for rule in schema.askable_rules if _is_said(rule, spoken, schema)]
    if not named:
        return plan

    def meant(pred: Pred) -> Pred:
        match pred:
            case Has(_, where):
                return replace(pred, where=tuple(map(meant, where)))
            case Not(inner):
                return Not(meant(inner))
            case Value():
                rules = [rule for rule in named if _has(rule, pred, schema.dialect)]
                return RuleRef(rules[0].name) if len(rules) == 1 else pred
        return pred

    return replace(plan, where=tuple(dict.fromkeys(map(meant, plan.where))))


def _is_said(rule: Rule, spoken: tuple[str, ...], schema: ProjectSchema) -> bool:
    """Whether its name is said, or that of a metric that counts its rows."""
    counting = (
        name
        for metric in schema.metrics
        if metric.measure is not None
        and metric.measure.aggregation in ("count", "count_distinct")
        and metric.measure.table == rule.table
        and any(e.startswith("metric.") and e.endswith(f".{metric.name}") for e in rule.evidence)
        for name in (metric.name, metric.label, *metric.synonyms)
    )
    names = (stems(name) for name in (rule.name, *rule.synonyms, *counting))
    return any(len(name) > 1 and any(places(name, spoken)) for name in names)


def _has(rule: Rule, value: Value, dialect: str) -> bool:
    """Whether the value is one that the rule's own condition wants of that column."""
    if rule.table != value.table:
        return False
    try:
        tree = language.parse_one(rule.predicate, dialect)
    except language.SqlError:
        return False
    exp = language.exp
    wanted = [
        each for each in tree.find_all(exp.EQ, exp.In) if not isinstance(each.parent, exp.Not)
    ]
    return any(
        (value.column.lower(), value.value) == (column.name.lower(), literal.name)
        for each in wanted
        for column in each.find_all(exp.Column)
        for literal in each.find_all(exp.Literal)
    )
