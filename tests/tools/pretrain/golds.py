"""The golds of human question sets: SQLite's SQL over names that were spelled anew."""

from __future__ import annotations

from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.sql_plans import Converter
from dbt_t2s.query.sql_source import Names, NotConvertedError
from dbt_t2s.query.sql_source import names_of as names_spelled
from dbt_t2s.sql import SqlError, exp, parse_one
from tests.tools.pretrain.names import canonical

_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.Between, exp.In)


def names_of(schema: ProjectSchema) -> Names:
    """The schema's names by what all spellings of one share."""
    return names_spelled(schema, canonical)


def gold_converter(schema: ProjectSchema) -> Converter:
    """What converts golds over ``schema``."""
    return Converter(schema, names=names_of(schema), read=parsed)


def parsed(text: str, names: Names) -> exp.Expr:
    """The gold's tree, with what SQLite takes for text in double quotes made text."""
    try:
        tree = parse_one(text, "sqlite")
    except SqlError as error:
        raise NotConvertedError("SQL that cannot be read") from error
    known = {name for columns in names.columns.values() for name in columns}
    for column in list(tree.find_all(exp.Column)):
        if column.table or not isinstance(column.this, exp.Identifier) or not column.this.quoted:
            continue
        right = isinstance(column.parent, _COMPARED) and column.parent.this is not column
        if right or canonical(column.name) not in known:
            column.replace(exp.Literal.string(column.name))
    return tree
