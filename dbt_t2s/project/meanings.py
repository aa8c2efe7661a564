"""What the values of a column mean: from meta, descriptions and accepted_values tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dbt_t2s import sql
from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Node, section, text
from dbt_t2s.project.evidence import Evidence
from dbt_t2s.project.schema import Column, Kind, Rule, RuleKind, Table

# ``1 = active, 2 = paused`` inside a sentence. Other separators say other things there.
_INLINE = re.compile(r"""(?<![\w.=<>])[`'"]?(-?[\w+-]{1,30})[`'"]?\s*=\s*([^,;.|=()]{1,120})""")
# ``- `placed`: not yet shipped`` as a line of a list.
_LISTED = re.compile(
    r"""^\s*[-*+]\s+[`'"*]*([^`'"*:=|]{1,30}?)[`'"*]*\s*(?::|=|\s-|–|—)\s*(\S.*)$"""
)
# ``| placed | not yet shipped |`` as a row of a table.
_ROW = re.compile(r"^\s*\|?\s*([^|]+?)\s*\|\s*([^|]+?)\s*(?:\||$)")
_RULE_LINE = re.compile(r"^[\s|:+-]+$")


def find(table: Table, node: Node, proof: Evidence, dialect: str) -> Iterator[Rule]:
    """A rule for each value that somebody gave a meaning, and for each complete list of values."""
    written = {name.lower(): each for name, each in section(node, "columns").items()}
    for column in table.columns:
        declared = written.get(column.name.lower(), {})
        declared = declared if isinstance(declared, Mapping) else {}
        said = {**in_text(text(declared, "description"), column.values), **_in_meta(declared)}
        if not column.personal:
            yield from (_means(table, column, value, said[value], dialect) for value in said)
            yield from _one_of(table, column, proof, dialect)


def in_text(description: str, known: Sequence[str] = ()) -> dict[str, str]:
    """Values and their meanings in a description: a table, a list, or ``1 = active, 2 = paused``.

    Two at least, and one of them a value that the column is known to hold, where any is.
    """
    lines = description.splitlines()
    ways: tuple[dict[str, str], ...] = (
        dict(_rows(lines)),
        {m[1]: m[2] for line in lines if (m := _LISTED.match(line))},
        {m[1]: m[2] for m in _INLINE.finditer(" ".join(lines))},
    )
    spelled = {value.lower(): value for value in known}
    for way in ways:
        found = {_bare(value): meta.clean(_bare(meaning)) for value, meaning in way.items()}
        if len(found) > 1 and (not known or any(value.lower() in spelled for value in found)):
            return {spelled.get(value.lower(), value): found[value] for value in found}
    return {}


def _rows(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The first two cells of the rows below a markdown table's rule."""
    below = False
    for line in lines:
        if "|" not in line:
            below = False
        elif _RULE_LINE.match(line):
            below = True
        elif below and (match := _ROW.match(line)):
            yield match.group(1), match.group(2)


def _bare(cell: str) -> str:
    return cell.strip().strip("`'\"*").strip()


def _in_meta(declared: Node) -> dict[str, str]:
    """``meta.values`` and ``meta.t2s.values``: a mapping of values to meanings."""
    found: dict[str, str] = {}
    for holder in (meta.merged(declared), meta.own(declared)):
        given = section(holder, "values")
        found |= {str(value): meta.clean(meaning) for value, meaning in given.items()}
    return {value: meaning for value, meaning in found.items() if meaning}


def _means(table: Table, column: Column, value: str, meaning: str, dialect: str) -> Rule:
    return Rule(
        name=_name(column.name, value),
        sentence=f"In {table.name}, {column.name} {value!r} means {meaning.rstrip('.')}.",
        table=table.name,
        predicate=f"{sql.quote(column.name, dialect)} = {_literal(column, value, dialect)}",
        evidence=(table.unique_id,),
        support=1,
        kind=RuleKind.VALUE,
    )


def _one_of(table: Table, column: Column, proof: Evidence, dialect: str) -> Iterator[Rule]:
    """What an accepted_values test says."""
    facts = proof.about(table.unique_id, "accepted_values", column.name)
    values = tuple(dict.fromkeys(value for fact in facts for value in fact.values))
    if values:
        listed = ", ".join(_literal(column, value, dialect) for value in values)
        yield Rule(
            name=f"{column.name}_values",
            sentence=f"In {table.name}, {column.name} is one of {', '.join(values)}.",
            table=table.name,
            predicate=f"{sql.quote(column.name, dialect)} IN ({listed})",
            evidence=tuple(dict.fromkeys(fact.node for fact in facts)),
            support=len(facts),
            kind=RuleKind.VALUE,
        )


def _name(*words: str) -> str:
    return re.sub(r"\W+", "_", " ".join(words).lower()).strip("_")


def _literal(column: Column, value: str, dialect: str) -> str:
    """The value as SQL of the column's kind; text where it is none of that kind."""
    if column.kind is Kind.NUMBER and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return value
    if column.kind is Kind.BOOLEAN and value.lower() in ("true", "false"):
        return value.lower()
    return sql.to_sql(sql.exp.Literal.string(value), dialect)
