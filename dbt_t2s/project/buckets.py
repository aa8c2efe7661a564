"""Terms that a CASE defines: ``case when lifetime_value > 1000 then 'gold' … end as tier``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s import sql
from dbt_t2s.project.schema import Issue, Kind, Level, Rule, RuleKind, Table
from dbt_t2s.project.source_columns import SourceColumns
from dbt_t2s.project.statements import Parsed


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


@dataclass(frozen=True)
class _Branch:
    """``condition`` gives ``label`` where none of the earlier ones holds; None is ELSE."""

    label: str
    condition: sql.exp.Expr | None


@dataclass(frozen=True)
class _Said:
    """What a CASE says of one of its labels; the fields are ``Bucket``'s."""

    label: str
    definition: str
    condition: str


class _Cases:
    """What CASE expressions say, each worked out once: many tables pass the same one on."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        # By the expression's identity; it is kept so that the identity stays its own.
        self._said: dict[int, tuple[sql.exp.Case, tuple[_Said, ...]]] = {}

    def labels(self, case: sql.exp.Case) -> tuple[_Said, ...]:
        if id(case) not in self._said:
            self._said[id(case)] = (case, tuple(_labelled(_branches(case), self._dialect)))
        return self._said[id(case)][1]


def find(
    parsed: Parsed, tables: Sequence[Table], relations: Mapping[str, str]
) -> tuple[list[Bucket], list[Issue]]:
    """The buckets of every statement; ``relations`` are node ids by ``relation_key``.

    Statements that cannot be read are passed over: ``recurring.usages`` reports them.
    """
    indices = {node: index for index, (node, _, _) in enumerate(parsed.statements)}
    makers: dict[int, str] = {}

    def last(node: str) -> sql.Scope | None:
        scopes = _scopes(parsed, indices[node]) if node in indices else ()
        makers.update((id(scope), node) for scope in scopes)
        return scopes[-1] if scopes else None

    through = SourceColumns(tables, parsed.dialect, lambda name: last(relations.get(name, "")))
    cases = _Cases(parsed.dialect)
    found: list[Bucket] = []
    issues: list[Issue] = []
    for table in tables:
        scope = last(table.unique_id)
        if scope is None:
            continue
        try:
            found += list(_materialised(table, scope, through, makers, cases, parsed.dialect))
        except sql.SqlError as error:
            issues.append(_unread(table.unique_id, error))
    made = {table.unique_id for table in tables}
    for index, (node, _, code) in enumerate(parsed.statements):
        if node in made or "case" not in code.lower():
            continue
        try:
            found += list(_asked(node, _scopes(parsed, index), through, parsed.dialect))
        except sql.SqlError as error:
            issues.append(_unread(node, error))
    return found, issues


def _unread(node: str, error: sql.SqlError) -> Issue:
    message = f"its CASE terms cannot be read: {str(error).splitlines()[0]}"
    return Issue(Level.INFO, node, message)


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


def _materialised(
    table: Table,
    last: sql.Scope,
    origins: SourceColumns,
    makers: Mapping[int, str],
    cases: _Cases,
    dialect: str,
) -> Iterator[Bucket]:
    """The buckets in a column of a table, whichever model makes them.

    ``makers`` are the node ids by the identity of their scopes.
    """
    for column in table.columns:
        if column.kind is not Kind.TEXT:
            continue
        made = origins.definition(last, column.name)
        if made is None or not isinstance(made[1], sql.exp.Case):
            continue
        for said in cases.labels(made[1]):
            value = sql.to_sql(sql.exp.Literal.string(said.label), dialect)
            yield Bucket(
                table.name,
                column.name,
                said.label,
                said.definition,
                f"{sql.quote(column.name, dialect)} = {value}",
                makers[id(made[0])],
                said.condition,
            )


def _asked(
    node: str, scopes: Sequence[sql.Scope], origins: SourceColumns, dialect: str
) -> Iterator[Bucket]:
    """The buckets that a query defines on the way, over the raw columns of one table."""
    for scope in scopes:
        if not isinstance(scope.expression, sql.exp.Select):
            continue
        for projection in scope.expression.selects:
            case = projection.unalias()
            if not isinstance(case, sql.exp.Case) or not projection.alias:
                continue
            placed = origins.bare(scope, case)
            if placed is None:
                continue
            table, bare = placed
            if not isinstance(bare, sql.exp.Case):
                continue
            for said in _labelled(_branches(bare), dialect):
                yield Bucket(
                    table.name,
                    projection.alias,
                    said.label,
                    said.definition,
                    said.condition or _whole(bare, said.label, dialect),
                    node,
                    said.condition,
                )


def _branches(case: sql.exp.Case) -> list[_Branch]:
    """The branches of a CASE in order; those that give no text have no label."""
    found: list[_Branch] = []
    for when in case.args.get("ifs") or ():
        condition = when.this
        if case.this is not None:
            condition = sql.exp.EQ(this=case.this.copy(), expression=condition.copy())
        found.append(_Branch(_label(when.args.get("true")), condition))
    otherwise = case.args.get("default")
    found += [_Branch(_label(otherwise), None)] if otherwise is not None else []
    return found


def _labels(branches: Sequence[_Branch]) -> tuple[str, ...]:
    """The buckets' names, without those that only tidy a value's spelling (DE, de → DE)."""
    found = dict.fromkeys(each.label for each in branches if each.label)
    tidied = {
        each.label
        for each in branches
        if each.condition is not None
        and isinstance(each.condition, sql.exp.EQ)
        and each.condition.expression.name.lower() == each.label.lower()
    }
    return tuple(label for label in found if label not in tidied)


def _label(result: sql.exp.Expr | None) -> str:
    """The text that a branch gives; empty where it gives something else."""
    return result.name if isinstance(result, sql.exp.Literal) and result.is_string else ""


def _labelled(branches: Sequence[_Branch], dialect: str) -> Iterator[_Said]:
    """What a CASE says of each of its labels."""
    apart = _apart(branches)
    # A branch that passes a column on may give the label too.
    closed = all(each.label for each in branches)
    for label in _labels(branches):
        taken = [index for index, each in enumerate(branches) if each.label == label]
        said: list[str] = []
        for index in taken:
            condition = branches[index].condition
            if condition is None:
                said.append("where nothing else fits")
            else:
                first = index == 0 or apart
                plain = sql.bare(condition, dialect)
                said.append(
                    f"where {plain}" if first else f"where {plain} and no earlier case fits"
                )
        condition = branches[taken[0]].condition
        decides = closed and len(taken) == 1 and (taken == [0] or apart)
        alone = sql.bare(condition, dialect) if condition is not None and decides else ""
        yield _Said(label, " or ".join(said), alone)


def _apart(branches: Sequence[_Branch]) -> bool:
    """Whether each branch compares the same thing to another value, so that order is nothing."""
    conditions = [each.condition for each in branches if each.condition is not None]
    equal = [each for each in conditions if isinstance(each, sql.exp.EQ)]
    values = [each.expression for each in equal if isinstance(each.expression, sql.exp.Literal)]
    one = len({each.this for each in equal}) == 1
    return one and len(conditions) == len(equal) == len(values) == len(set(values))


def _whole(case: sql.exp.Case, label: str, dialect: str) -> str:
    """When a bucket is taken, exactly, where no one condition says it."""
    return sql.to_sql(
        sql.exp.EQ(this=case.copy(), expression=sql.exp.Literal.string(label)), dialect
    )


def _scopes(parsed: Parsed, index: int) -> tuple[sql.Scope, ...]:
    try:
        return parsed.scopes_of(index)
    except sql.SqlError:
        return ()  # reported once, where conditions are mined
