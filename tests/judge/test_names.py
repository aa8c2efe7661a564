"""Names that a warehouse never repeats."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbt_t2s.judge.names import with_names_apart
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table


def schema_of(rows: int | None, distinct: int | None, *, entity: str = "shop") -> ProjectSchema:
    columns = (
        Column("shop_id", "integer", Kind.NUMBER, Role.KEY, unique=True),
        Column("shop_name", "varchar", Kind.TEXT, Role.TEXT, distinct=distinct),
        Column("city", "varchar", Kind.TEXT, Role.CATEGORY, distinct=rows),
    )
    table = Table("shops", "shops", "model.x.shops", "", columns, entity=entity, rows=rows)
    return ProjectSchema("x", "duckdb", (table,))


def unique_in(schema: ProjectSchema) -> list[str]:
    return [column.name for column in schema.tables[0].columns if column.unique]


def test_the_name_of_each_row_is_its_own() -> None:
    assert unique_in(with_names_apart(schema_of(20, 20))) == ["shop_id", "shop_name"]


@pytest.mark.parametrize(("rows", "distinct"), [(20, 19), (3, 3), (None, 20), (20, None)])
def test_what_repeats_or_is_not_known_stays(rows: int | None, distinct: int | None) -> None:
    schema = schema_of(rows, distinct)
    assert with_names_apart(schema) == schema


def test_a_table_without_a_name_stays() -> None:
    schema = schema_of(20, 20)
    bare = replace(schema.tables[0], columns=schema.tables[0].columns[:1])
    assert with_names_apart(replace(schema, tables=(bare,))).tables == (bare,)
