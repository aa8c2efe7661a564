"""Terms that a CASE defines: ``case when lifetime_value > 1000 then 'gold' … end as tier``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.project.asked import Asked
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.schema import Issue, Kind, Level, Rule, RuleKind, Table


@dataclass(frozen=True)
class Bucket:
    """One branch of a CASE: rows of ``table`` are ``label`` (a ``term``) under ``definition``.

    ``definition`` is a condition for a person to read, ``predicate`` one over the table's columns,
    ``condition`` the one condition of its branch, empty where there are several.
    """

    table: str
    term: str
    label: str
    definition: str
    predicate: str
    node: str
    condition: str = ""


def find(
    asked: Sequence[tuple[str, Asked]], tables: Sequence[Table], lineage: Lineage
) -> list[Bucket]:
    """The buckets in the columns of ``tables``, and those that other statements make of them."""
    dialect = lineage.dialect
    found = [each for table in tables for each in _materialised(table, lineage, dialect)]
    made = {table.unique_id for table in tables}
    for node, each in asked:
        for term in each.terms if node not in made else ():
            said = term.said
            found.append(
                Bucket(
                    term.table,
                    term.name,
                    said.label,
                    said.definition,
                    term.predicate,
                    node,
                    said.condition,
                )
            )
    return found


def rules(
    buckets: Sequence[Bucket], written: Sequence[Rule], dialect: str
) -> tuple[list[Rule], list[Issue]]:
    """A rule for each bucket, and an issue wherever a term is defined in several ways.

    Then what somebody wrote as a rule of that name wins, else the definition of most statements.
    """
    by_name = {
        (rule.table, _plain(name)): rule
        for rule in written
        if rule.kind is RuleKind.WRITTEN
        for name in (rule.name, *rule.synonyms)
    }
    by_term: dict[tuple[str, str, str], dict[str, list[Bucket]]] = {}
    for each in buckets:
        key = (each.table, each.term.lower(), each.label)
        by_term.setdefault(key, {}).setdefault(each.definition, []).append(each)
    found: list[Rule] = []
    issues: list[Issue] = []
    for (table, term, label), definitions in by_term.items():
        ranked = sorted(definitions.values(), key=len, reverse=True)
        issues += [_differs(ranked[0][0], other[0]) for other in ranked[1:]]
        names = ((table, _plain(name)) for name in (f"{label} {term}", label))
        rival = next((by_name[name] for name in names if name in by_name), None)
        if rival is None or _says(ranked[0][0], rival, dialect):
            found.append(_rule(ranked[0]))
        else:
            issues.append(_overruled(ranked[0][0], rival))
    return found, issues


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())


def _says(bucket: Bucket, rule: Rule, dialect: str) -> bool:
    wanted = set(sql.conjuncts(rule.predicate, dialect))
    said = (bucket.predicate, bucket.condition)
    return any(set(sql.conjuncts(each, dialect)) == wanted for each in said if each)


def _overruled(bucket: Bucket, rule: Rule) -> Issue:
    return Issue(
        Level.WARNING,
        bucket.node,
        f"{bucket.label!r} as {bucket.term} of {bucket.table} is taken {bucket.definition}, but "
        f"the written rule {rule.name}, which wins, says {rule.predicate}",
        f"make it agree with {rule.evidence[0]}",
    )


def _rule(alike: Sequence[Bucket]) -> Rule:
    first = alike[0]
    nodes = tuple(dict.fromkeys(each.node for each in alike))
    return Rule(
        name=re.sub(r"\W+", "_", f"{first.label} {first.term}".lower()).strip("_"),
        sentence=f"In {first.table}, {first.term} is {first.label!r} {first.definition}.",
        table=first.table,
        predicate=first.predicate,
        evidence=nodes,
        support=len(nodes),
        synonyms=(first.label,),
        kind=RuleKind.BUCKET,
    )


def _differs(kept: Bucket, other: Bucket) -> Issue:
    return Issue(
        Level.WARNING,
        other.node,
        f"{other.label!r} as {other.term} of {other.table} is defined in two ways: "
        f"{other.definition} here, {kept.definition} in {kept.node}",
        "define it once, in a model, or write the right one in meta.t2s.rules",
    )


def _materialised(table: Table, lineage: Lineage, dialect: str) -> Iterator[Bucket]:
    """The buckets in a column of a table, whichever model makes them."""
    for column in table.columns:
        if column.kind is not Kind.TEXT:
            continue
        maker, terms = lineage.terms(table.unique_id, column.name)
        for said in terms:
            value = sql.to_sql(sql.exp.Literal.string(said.label), dialect)
            yield Bucket(
                table.name,
                column.name,
                said.label,
                said.definition,
                f"{sql.quote(column.name, dialect)} = {value}",
                maker,
                said.condition,
            )
