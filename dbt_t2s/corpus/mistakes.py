"""Mistakes that people and models make in writing SQL, and that a database refuses.

Each is made once, on a copy of the parse tree. Whether a database really refuses one is for the
caller to find out: some dialects' slips run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dbt_t2s import sql as language
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.sql import SqlError, exp

# Other dialects' spelling; a slip is SQL written for one of them.
_DIALECTS = ("mysql", "tsql", "bigquery", "oracle", "duckdb", "postgres")


def mistakes(sql: str, schema: ProjectSchema) -> Iterator[tuple[str, str]]:
    """(kind, wrong SQL of the schema's dialect), in a fixed order; SqlError if ``sql`` is none."""
    tree = language.parse_one(sql, schema.dialect)
    right = language.to_sql(tree, schema.dialect)
    seen = {right}
    for make in _MAKERS:
        for kind, wrong in make(tree, schema):
            text = language.to_sql(wrong, schema.dialect)
            if text not in seen:
                seen.add(text)
                yield kind, text
    for dialect in _DIALECTS:
        if dialect != schema.dialect:
            text = _slipped(tree, dialect)
            if text and text not in seen:
                seen.add(text)
                yield "dialect slip", text


Made = Iterator[tuple[str, exp.Expr]]


def misspelt(tree: exp.Expr, schema: ProjectSchema) -> Made:
    """One column's name, then one table's, with a letter lost, wherever it stands."""
    for kind, sort in (("misspelt column", exp.Column), ("misspelt table", exp.Table)):
        names = dict.fromkeys(node.name for node in tree.find_all(sort) if len(node.name) > 3)
        for name in names:
            at = len(name) // 2
            yield kind, _renamed(tree, sort, name, name[:at] + name[at + 1 :])


def other_tables_column(tree: exp.Expr, schema: ProjectSchema) -> Made:
    """A column that its table does not have: the like of it in a table that joins."""
    own = {t.name: {c.name.lower() for c in t.columns} for t in schema.tables}
    read = {table.name for table in tree.find_all(exp.Table)}
    held = {name for table in read for name in own.get(table, ())}
    near = [edge.to_table for edge in schema.joins if edge.table in read]
    near += [edge.table for edge in schema.joins if edge.to_table in read]
    others = [name for table in near for name in sorted(own.get(table, ())) if name not in held]
    for name in dict.fromkeys(node.name for node in tree.find_all(exp.Column)):
        if name.lower() in held and others:
            yield "wrong column", _renamed(tree, exp.Column, name, others[0])


def lost_joins(tree: exp.Expr, schema: ProjectSchema) -> Made:
    """Each JOIN lost whose table is still read."""
    for place, node in enumerate(list(language.walk(tree))):
        if isinstance(node, exp.Join):
            copy = tree.copy()
            _at(copy, place).pop()
            yield "lost join", copy


def lost_grouping(tree: exp.Expr, schema: ProjectSchema) -> Made:
    """GROUP BY lost."""
    for place, node in enumerate(list(language.walk(tree))):
        if isinstance(node, exp.Select) and node.args.get("group"):
            copy = tree.copy()
            _at(copy, place).set("group", None)
            yield "missing GROUP BY", copy


def ambiguous(tree: exp.Expr, schema: ProjectSchema) -> Made:
    """A column whose name two joined tables have, without its table."""
    if not any(True for _ in tree.find_all(exp.Join)):
        return
    own = {t.name: {c.name.lower() for c in t.columns} for t in schema.tables}
    read = [table.name for table in tree.find_all(exp.Table)]
    for place, node in enumerate(list(language.walk(tree))):
        if not (isinstance(node, exp.Column) and node.table):
            continue
        if sum(node.name.lower() in own.get(name, ()) for name in set(read)) > 1:
            copy = tree.copy()
            _at(copy, place).args.update(table=None, db=None, catalog=None)
            yield "ambiguous column", copy


def bad_literals(tree: exp.Expr, schema: ProjectSchema) -> Made:
    """A date that no calendar has, and a text in other letters than the data's."""
    for place, node in enumerate(list(language.walk(tree))):
        if isinstance(node, exp.Literal) and node.is_string and node.name:
            text = node.name
            day = len(text) >= 10 and text[4:5] == text[7:8] == "-" and text[:4].isdigit()
            wrong = f"{text[:5]}02-30{text[10:]}" if day else text.swapcase()
            copy = tree.copy()
            _at(copy, place).replace(exp.Literal.string(wrong))
            yield "bad literal", copy


_MAKERS: tuple[Callable[[exp.Expr, ProjectSchema], Made], ...] = (
    misspelt,
    other_tables_column,
    lost_joins,
    lost_grouping,
    ambiguous,
    bad_literals,
)


def _slipped(tree: exp.Expr, dialect: str) -> str:
    """The query as another dialect writes it; empty where it has no form for it."""
    try:
        text, unsupported = language.translated(tree, dialect)
    except SqlError:
        return ""
    return "" if unsupported else text


def _renamed(tree: exp.Expr, sort: type[exp.Expr], name: str, new: str) -> exp.Expr:
    copy = tree.copy()
    for node in copy.find_all(sort):
        if node.name == name:
            node.set("this", exp.to_identifier(new, quoted=not new.isidentifier()))
    return copy


def _at(tree: exp.Expr, place: int) -> exp.Expr:
    return next(node for at, node in enumerate(language.walk(tree)) if at == place)
