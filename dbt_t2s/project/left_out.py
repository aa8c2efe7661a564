"""What never counts, as descriptions say and as metrics leave out: "test tenants never count".

Few projects write rules in meta, nearly all have rows that nobody counts. A description says so in
words ("Void invoices and those of test tenants never count"), and every metric over the table
carries a condition, beside others of its own. Such conditions hold for every count and sum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set

from dbt_t2s import sql
from dbt_t2s.project.identifiers import folded
from dbt_t2s.project.identifiers import words as name_words
from dbt_t2s.project.schema import Column, Kind, Rule, RuleKind, Table

_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+")
_CLAUSE = re.compile(r"[,;.]\s+|\n+")
_NOT = r"(?:never|(?:do|does|must|should|are|is|will)\s+not|don't|doesn't|aren't|isn't)"
_OUT = r"(?:excluded|left\s+out|ignored|filtered\s+out)"
_NEVER = re.compile(
    # Not "never counts towards revenue": that is about one figure.
    rf"\b{_NOT}\s+(?:be\s+)?count(?:s|ed)?\b"
    r"(?!\s+(?:towards?|in|into|as|for|when|against|among|by|until|unless|before|after|if|once)\b)|"
    rf"\b(?:is|are|must\s+be|should\s+be)\s+(?:always\s+)?{_OUT}\s+"
    r"(?:everywhere|always|(?:from|of|in)\s+(?:all|every|any)\s+"
    r"(?:counts?|sums?|totals?|reports?|reporting|metrics?|figures?|analys[ei]s|kpis?))\b|"
    rf"\balways\s+{_OUT}\b",
    re.IGNORECASE,
)
# What a metric over the table leaves out, too.
_NOT_AS = re.compile(
    rf"\b{_NOT}\s+(?:be\s+)?count(?:s|ed)?\s+(?:as|towards?|in|into)\b", re.IGNORECASE
)
_IS_NONE = re.compile(r"\b(?:is|are)\s+no\s+(?P<what>[^\W\d_]+)", re.IGNORECASE)
_FALSE = re.compile(r"\bfalse\b|\bonly\b|\bunless\b", re.IGNORECASE)
_ASIDE = frozenset(("is", "has", "was", "flag", "flagged", "row", "record", "status"))
_ROWS = frozenset(map(folded, ("ones", "rows", "records", "entries", "and", "or")))
_VERBS = frozenset(map(folded, ("is", "are", "was", "were")))
_SHORTEST = 3
_WORD = re.compile(r"[^\W_]+")


def documented(
    tables: Sequence[Table], conditions: Mapping[str, Sequence[frozenset[str]]], dialect: str
) -> Iterator[Rule]:
    """A rule for each flag and value of which a description says that its rows never count.

    ``conditions`` are those of each metric, by table: what a description says of one figure alone
    holds for all where a metric leaves it out.
    """
    for table in tables:
        held = frozenset().union(*conditions.get(table.name, ()))
        for rule, said_of_all in _said(table, dialect):
            if said_of_all or rule.predicate in held:
                yield rule


def _said(table: Table, dialect: str) -> Iterator[tuple[Rule, bool]]:
    """What the table's descriptions leave out, and whether of every figure."""
    for column in table.columns:
        if _tells_itself(column):
            yield _rule(table, column, "", column.description, dialect), True
        for clause in _CLAUSE.split(column.description):
            for subject, of_all in _subjects(clause, table):
                for value in _values_named(column, table, subject):
                    yield _rule(table, column, value, clause, dialect), of_all
    for sentence in _SENTENCE.split(table.description):
        for subject, of_all in _subjects(sentence, table):
            having = [(c, v) for c in table.columns for v in _values_named(c, table, subject)]
            for column, value in having:
                if sum(value == other for _, other in having) == 1:
                    yield _rule(table, column, value, sentence, dialect), of_all
            for column in table.columns:
                if column.kind is Kind.BOOLEAN and _is_named(column, table, subject):
                    yield _rule(table, column, "", sentence, dialect), of_all


def shared(
    conditions: Mapping[str, Sequence[frozenset[str]]], known: Sequence[Rule], dialect: str
) -> Iterator[Rule]:
    """A rule for each condition that all metrics over a table carry beside others.

    ``conditions`` holds those of each metric, by table; what a rule in ``known`` always says is
    not said again.
    """
    for table, listed in conditions.items():
        said = {
            part
            for rule in known
            if rule.always and rule.table == table
            for part in sql.conjuncts(rule.predicate, dialect)
        }
        for part in dict.fromkeys(
            p for each in listed for p in sorted(each) if _leaves_out(p, dialect)
        ):
            holding = sum(_implies(each, part, dialect) for each in listed)
            if part not in said and len(listed) > 1 and holding == len(listed):
                sentence = f"All metrics over {table} take only rows where {part}"
                name = "_".join(name_words(re.sub(r"\W+", " ", part)))
                yield Rule(
                    f"{table}_{name}", sentence, table, part, support=holding, always=True,
                    kind=RuleKind.LEFT_OUT,
                )  # fmt: skip


def _rule(table: Table, column: Column, value: str, sentence: str, dialect: str) -> Rule:
    name = sql.quote(column.name, dialect)
    predicate = (
        f"{name} <> {sql.to_sql(sql.exp.Literal.string(value), dialect)}"
        if value
        else f"NOT {name}"
    )
    own = {*name_words(table.name), *name_words(table.entity), *_ASIDE}
    told = [word for word in name_words(value or column.name) if word not in own]
    return Rule(
        name=f"{table.name}_without_{'_'.join(told) or column.name}",
        sentence=sentence.strip(),
        table=table.name,
        predicate=predicate,
        evidence=(table.unique_id,),
        support=1,
        always=True,
        kind=RuleKind.LEFT_OUT,
    )


def _tells_itself(column: Column) -> bool:
    """Whether a flag's own description says that its rows never count."""
    flag = column.kind is Kind.BOOLEAN and not _FALSE.search(column.description)
    return flag and bool(_NEVER.search(column.description))


def _subjects(text: str, table: Table) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The words of what does not count, and whether it never does: at most one subject."""
    for pattern, of_all in ((_NEVER, True), (_NOT_AS, False)):
        if found := pattern.search(text):
            yield _words(text[: found.start()]), of_all
            return
    names = _own_words(table)
    for found in _IS_NONE.finditer(text):
        if folded(found["what"].lower()) in names:
            yield _words(text[: found.start()]), True
            return


def _words(text: str) -> tuple[str, ...]:
    return tuple(folded(word.lower()) for word in _WORD.findall(text))


def _own_words(table: Table) -> frozenset[str]:
    """The words for one row of a table."""
    names = (table.name, table.entity, *table.synonyms)
    return frozenset(folded(word) for name in names for word in name_words(name))


def _is_named(flag: Column, table: Table, subject: Sequence[str]) -> bool:
    """Whether the subject has all words of the flag's name, or all but the table's own."""
    named = {folded(w) for w in name_words(flag.name) if w not in _ASIDE}
    own = {folded(w) for name in (table.name, table.entity) for w in name_words(name)}
    spoken = set(subject)
    return bool(named - own) and named - own <= spoken and named <= spoken | own


def _values_named(column: Column, table: Table, subject: Sequence[str]) -> Iterator[str]:
    """The column's values that stand before what a row is, or alone as the first words."""
    if column.kind is not Kind.TEXT:
        return
    rows = _own_words(table) | _ROWS
    for value in column.values:
        said = [folded(word) for word in name_words(value)]
        if len(value) >= _SHORTEST and said and _says(subject, said, rows):
            yield value


def _says(spoken: Sequence[str], said: Sequence[str], rows: Set[str]) -> bool:
    """Whether words stand before those for rows, or make the whole subject: "spam is …"."""
    for at in range(len(spoken) - len(said) + 1):
        end = at + len(said)
        if list(spoken[at:end]) != list(said):
            continue
        after = spoken[end : end + 1]
        if after and after[0] in rows:
            return True
        if end == len(said) and (not after or after[0] in _VERBS):
            return True
    return False


def _leaves_out(part: str, dialect: str) -> bool:
    """Whether a condition leaves something out: it denies a flag or a value."""
    node = sql.parse_one(part, dialect)
    return isinstance(node, sql.exp.NEQ) or (
        isinstance(node, sql.exp.Not) and isinstance(node.this, sql.exp.Column)
    )


def _implies(conditions: frozenset[str], part: str, dialect: str) -> bool:
    """Whether rows under ``conditions`` are rows under ``part``: another value is none denied."""
    if part in conditions:
        return True
    wanted = sql.parse_one(part, dialect)
    if not isinstance(wanted, sql.exp.NEQ):
        return False
    for each in conditions:
        held = sql.parse_one(each, dialect)
        if isinstance(held, sql.exp.EQ) and held.this == wanted.this:
            other = held.expression
            if isinstance(other, sql.exp.Literal) and other != wanted.expression:
                return True
    return False
