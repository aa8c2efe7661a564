"""What an answer rests on: the metrics, rules, filters, joins and tables of its SQL, with places.

All of it is read off the SQL that ran, whatever wrote it; only which metrics were meant does the
model know better, where it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dbt_t2s import sql as language
from dbt_t2s.judge.broken_rules import conditions, spelled
from dbt_t2s.judge.parsed import parsed
from dbt_t2s.project.schema import Join, Metric, ProjectSchema, Rule, RuleKind, Table
from dbt_t2s.sql import exp

# The node of an id, or nothing: where the project's files say it.
PlaceOf = Callable[[str], str]

_AGGREGATES = {
    "sum": "sum({})",
    "count": "count({})",
    "count_distinct": "count(distinct {})",
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "median": "median({})",
}
_WORDS: dict[type[exp.Expr], str] = {
    exp.EQ: "is",
    exp.NEQ: "is not",
    exp.GT: "is over",
    exp.GTE: "is at least",
    exp.LT: "is under",
    exp.LTE: "is at most",
}


@dataclass(frozen=True)
class Basis:
    """One thing that an answer rests on: ``kind`` is metric, rule, filter, join or table.

    ``place`` is its file and line in the project, empty for what the question brought.
    """

    kind: str
    name: str
    sentence: str
    place: str = ""


@dataclass(frozen=True)
class Statement:
    """A statement of this schema, read: its tables, and which table each column name is of."""

    tree: exp.Expr
    tables: tuple[Table, ...]
    aliases: Mapping[str, Table]

    def table_of(self, column: exp.Column) -> Table | None:
        """The table that the column is of; None where it is computed or could be of several."""
        if column.table:
            return self.aliases.get(column.table.lower())
        name = column.name.lower()
        owners = [t for t in self.tables if any(c.name.lower() == name for c in t.columns)]
        return owners[0] if len(owners) == 1 else None

    def name_of(self, column: exp.Column) -> str:
        table = self.table_of(column)
        return f"{table.name}.{column.name}" if table else column.name


def read(sql: str, schema: ProjectSchema) -> Statement | None:
    """The statement read; None where it cannot be."""
    try:
        tree = parsed(sql, schema.dialect)
    except language.SqlError:
        return None
    known = {language.relation(t.relation, schema.dialect).lower(): t for t in schema.tables}
    aliases: dict[str, Table] = {}
    tables: dict[str, Table] = {}
    for node in tree.find_all(exp.Table):
        table = known.get(language.table_name(node, schema.dialect).lower())
        table = table or next((t for t in schema.tables if t.name == node.name), None)
        if table is not None:
            tables[table.name] = table
            aliases[(node.alias or node.name).lower()] = table
    return Statement(tree, tuple(tables.values()), aliases)


def basis_of(
    sql: str, items: Sequence[str], schema: ProjectSchema, place_of: PlaceOf
) -> tuple[Basis, ...]:
    """What ``sql`` rests on, metrics first; ``items`` are what the model says that it used."""
    statement = read(sql, schema)
    if statement is None:
        return ()
    try:
        held = conditions(sql, schema.dialect)
        metrics = _metrics(statement, items, schema, held)
        rules = _rules(statement, items, schema, held, metrics)
        explained = _explained(metrics, rules, schema.dialect)
        return (
            *(_metric_basis(metric, place_of) for metric in metrics),
            *(_rule_basis(rule, place_of) for rule in rules),
            *_filters(statement, explained, schema.dialect),
            *_joins(statement, schema, place_of),
            *(Basis("table", t.name, _table_sentence(t), t.path) for t in statement.tables),
        )
    except language.SqlError:
        return ()


def metrics_in(sql: str, schema: ProjectSchema) -> tuple[Metric, ...]:
    """The metrics whose aggregate and filters a statement has, as far as SQL shows them."""
    statement = read(sql, schema)
    if statement is None:
        return ()
    try:
        return _metrics(statement, (), schema, conditions(sql, schema.dialect))
    except language.SqlError:
        return ()


def _metrics(
    statement: Statement, items: Sequence[str], schema: ProjectSchema, held: set[str]
) -> tuple[Metric, ...]:
    """Those that the model names, or those whose aggregate and filters the statement has."""
    named = {item[2:] for item in items if item[:2] == "m:"}
    if named:
        return tuple(metric for metric in schema.metrics if metric.name in named)
    dialect = schema.dialect
    written = {language.bare(n, dialect).lower() for n in statement.tree.find_all(exp.AggFunc)}
    names = {table.name for table in statement.tables}
    best: dict[str, tuple[int, Metric]] = {}
    for metric in schema.metrics:
        aggregate = _aggregate(metric, dialect)
        if aggregate not in written or not set(metric.tables) <= names:
            continue
        wanted = {c for f in metric.filters for c in spelled(f.predicate, dialect)}
        if wanted <= held and len(wanted) > best.get(aggregate, (-1, metric))[0]:
            best[aggregate] = (len(wanted), metric)
    return tuple(metric for _, metric in best.values())


def _aggregate(metric: Metric, dialect: str) -> str:
    """A simple metric's aggregate as ``bare`` writes it; empty for the others."""
    measure = metric.measure
    form = _AGGREGATES.get(measure.aggregation) if measure else None
    if measure is None or form is None:
        return ""
    try:
        return language.unqualify(form.format(measure.expression), dialect).lower()
    except language.SqlError:
        return ""


def _rules(
    statement: Statement,
    items: Sequence[str],
    schema: ProjectSchema,
    held: set[str],
    metrics: Sequence[Metric],
) -> tuple[Rule, ...]:
    """Rules on the statement's tables that it keeps: those that always hold or were asked for.

    Of the others that somebody wrote down those that say what nothing else here says.
    """
    named = {item[2:] for item in items if item[:2] == "r:"}
    tables = {table.name for table in statement.tables}
    kept: dict[str, tuple[str, ...]] = {}
    for rule in schema.rules:
        if rule.predicate and rule.table in tables:
            wanted = spelled(rule.predicate, schema.dialect)
            if set(wanted) <= held or rule.name in named:
                kept[rule.name] = wanted
    rules = [rule for rule in schema.rules if rule.name in kept]
    found = [rule for rule in rules if rule.always or rule.name in named]
    said = _explained(metrics, found, schema.dialect)
    found += [
        rule
        for rule in rules
        if rule.kind is RuleKind.WRITTEN and rule not in found and not set(kept[rule.name]) <= said
    ]
    alike = {tuple(sorted(kept[rule.name])): rule for rule in reversed(found)}
    return tuple(rule for rule in found if rule in alike.values())


def _explained(metrics: Sequence[Metric], rules: Sequence[Rule], dialect: str) -> set[str]:
    """The conditions that metrics and rules bring with them: the question need not say them."""
    brought = [f.predicate for metric in metrics for f in metric.filters]
    brought += [f.predicate for metric in metrics for each in metric.inputs for f in each.filters]
    brought += [rule.predicate for rule in rules]
    return {condition for predicate in brought for condition in spelled(predicate, dialect)}


def _metric_basis(metric: Metric, place_of: PlaceOf) -> Basis:
    said = metric.description or metric.label or metric.name.replace("_", " ")
    how = ""
    if metric.measure is not None:
        measure = metric.measure
        of = "rows" if measure.expression == "1" else measure.expression
        how = f"{measure.aggregation.replace('_', ' ')} of {of} in {measure.table}"
    elif metric.expression:
        how = metric.expression
    sentence = f"{_ended(said)} It is the {how}." if how else _ended(said)
    return Basis("metric", metric.name, sentence, place_of(metric.unique_id))


def _rule_basis(rule: Rule, place_of: PlaceOf) -> Basis:
    said = rule.sentence or f"{rule.name.replace('_', ' ')}: {rule.predicate}"
    always = " It always holds." if rule.always else ""
    place = next((each for each in rule.evidence if "/" in each), "")
    return Basis("rule", rule.name, _ended(said) + always, place or _first(rule.evidence, place_of))


def _filters(statement: Statement, explained: set[str], dialect: str) -> Iterator[Basis]:
    """What the question asked for: the conditions of the statement that nothing else brought."""
    bounds: dict[str, list[tuple[type[exp.Expr], date]]] = {}
    seen: set[str] = set()
    for clause in statement.tree.find_all(exp.Where, exp.Having):
        for node in language.all_of(clause.this):
            text = language.bare(node, dialect)
            if text in seen or set(spelled(text, dialect)) <= explained:
                continue
            seen.add(text)
            column, day = node.this, day_of(node.args.get("expression"))
            if isinstance(column, exp.Column) and day and isinstance(node, exp.GTE | exp.LT):
                bounds.setdefault(statement.name_of(column), []).append((type(node), day))
            else:
                yield Basis("filter", text, _condition(node, statement, dialect))
    for name, found in bounds.items():
        yield Basis("filter", name, f"{name} is {_range(found)}.")


def _range(bounds: Sequence[tuple[type[exp.Expr], date]]) -> str:
    starts = [day for kind, day in bounds if kind is exp.GTE]
    ends = [day for kind, day in bounds if kind is exp.LT]
    if starts and ends:
        return days(max(starts).isoformat(), min(ends).isoformat())
    return days(max(starts).isoformat(), "") if starts else days("", min(ends).isoformat())


def days(start: str, after: str) -> str:
    """A half-open range of days in words: ``May 2025``, ``from 2025-01-01 to 2025-02-14``."""
    if not start:
        return f"before {after}"
    if not after:
        return f"on or after {start}"
    first, last = date.fromisoformat(start), date.fromisoformat(after) - timedelta(days=1)
    following = last + timedelta(days=1)
    if first == last:
        return first.isoformat()
    if first.day == following.day == 1:
        months = (following.year - first.year) * 12 + following.month - first.month
        if months == 1:
            return f"in {first:%B %Y}"
        if months == 3 and first.month % 3 == 1:
            return f"in Q{first.month // 3 + 1} {first.year}"
        if months == 12 and first.month == 1:
            return f"in {first.year}"
    return f"from {first.isoformat()} to {last.isoformat()}"


def day_of(node: exp.Expr | None) -> date | None:
    """The day that a literal or a cast of one says."""
    inner = node.this if isinstance(node, exp.Cast) else node
    if not isinstance(inner, exp.Literal) or not inner.is_string:
        return None
    try:
        return date.fromisoformat(inner.name[:10])
    except ValueError:
        return None


def _condition(node: exp.Expr, statement: Statement, dialect: str) -> str:
    word = _WORDS.get(type(node))
    if word and isinstance(node.this, exp.Column):
        other = node.expression
        if isinstance(other, exp.Literal | exp.Boolean | exp.Cast):
            shown = day_of(other) or language.to_sql(other, dialect)
            return f"{statement.name_of(node.this)} {word} {shown}."
    return f"It holds that {language.bare(node, dialect)}."


def _joins(statement: Statement, schema: ProjectSchema, place_of: PlaceOf) -> Iterator[Basis]:
    """The edges of the join graph that the statement's ON and USING and IN follow."""
    pairs = {frozenset(pair) for pair in _equated(statement)}
    for join in schema.joins:
        ends = [
            frozenset({(join.table, one.lower()), (join.to_table, other.lower())})
            for one, other in zip(join.columns, join.to_columns, strict=True)
        ]
        if all(end in pairs for end in ends):
            sides = f"{join.table} and {join.to_table}"
            place = _first(join.evidence, place_of)
            yield Basis("join", sides, _join_sentence(join), place)


def _join_sentence(join: Join) -> str:
    keys = " and ".join(
        f"{join.table}.{one} = {join.to_table}.{other}"
        for one, other in zip(join.columns, join.to_columns, strict=True)
    )
    if not join.proven:
        return f"{keys}, which names and values suggest and nothing proves."
    first = join.evidence[0] if join.evidence else ""
    proof = {"test": "a dbt test proves", "semantic_model": "the semantic model says"}
    return f"{keys}, as {proof.get(first.split('.')[0], 'the project states')}."


def _equated(statement: Statement) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    for node in statement.tree.find_all(exp.EQ):
        left, right = node.this, node.expression
        if isinstance(left, exp.Column) and isinstance(right, exp.Column):
            one, other = statement.table_of(left), statement.table_of(right)
            if one and other and one != other:
                yield (one.name, left.name.lower()), (other.name, right.name.lower())


def _table_sentence(table: Table) -> str:
    return _ended(table.description or f"{table.name} is a table of the project")


def _first(evidence: Sequence[str], place_of: PlaceOf) -> str:
    return next((place for each in evidence if (place := place_of(each.split(" ")[0]))), "")


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
