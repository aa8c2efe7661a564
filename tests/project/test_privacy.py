"""Personal data stays out of the schema, whatever its column is called further down."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s import codec
from dbt_t2s.duck import open_read_only, open_writable, run
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.distill import distill
from dbt_t2s.project.privacy import may_be_personal
from dbt_t2s.project.schema import Column, Kind, Level, ProjectSchema, Role, Table

PII: dict[str, Any] = {"config": {"tags": ["pii"]}}
OPEN: dict[str, Any] = {"config": {"meta": {"t2s": {"personal": False}}}}

STAGING = 'select id, email as contact, "full name" as who, town from crm.main.people'
MART = """
select id, contact as reach, upper(contact) as handle, split_part(contact, '@', 2) as domain,
  case when contact like '%.example' then 'inside' else 'outside' end as side,
  contact is not null as reachable, length(who) as letters, who, town
from crm.main.stg_people
"""
FORM = "select reach || ' in ' || town as address, side, domain from crm.main.mart_people"


def model(name: str, code: str, above: str, **parts: Any) -> dict[str, Any]:
    return {
        "unique_id": f"model.crm.{name}",
        "resource_type": "model",
        "name": name,
        "database": "crm",
        "schema": "main",
        "relation_name": f'"crm"."main"."{name}"',
        "config": {"materialized": "table"},
        "compiled_code": code,
        "depends_on": {"nodes": [above]},
        **parts,
    }


def people(**parts: Any) -> dict[str, Any]:
    return {
        "unique_id": "seed.crm.people",
        "resource_type": "seed",
        "name": "people",
        "database": "crm",
        "schema": "main",
        "relation_name": '"crm"."main"."people"',
        **parts,
    }


def distilled(folder: Path, seed: dict[str, Any], **mart: Any) -> ProjectSchema:
    """The project with these marks, distilled with its data at hand."""
    nodes = [
        seed,
        model("stg_people", STAGING, "seed.crm.people"),
        model("mart_people", MART, "model.crm.stg_people", **mart),
        model("form", FORM, "model.crm.mart_people"),
    ]
    version = "https://schemas.getdbt.com/dbt/manifest/v12.json"
    written = {"metadata": {"dbt_schema_version": version}}
    manifest = {**written, "nodes": {node["unique_id"]: node for node in nodes}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with open_writable(folder / "crm.duckdb") as connection:
        connection.execute("""
            create table people as
            select i as id, 'zoe' || i || '@mail' || i || '.example' as email,
              'Quinn ' || i % 3 as "full name", 'Cork' as town
            from range(20) r(i)
        """)
        for node in nodes[1:]:
            connection.execute(f"create table {node['name']} as {node['compiled_code']}")
    project = DbtProject("crm", folder, folder, folder, "crm", "dev", "duckdb", "duckdb")
    with open_read_only(folder / "crm.duckdb") as connection:
        models = frozenset(node["unique_id"] for node in nodes[1:])
        return distill(project, select=models, execute=lambda sql: run(connection, sql))


def personal(table: Table) -> set[str]:
    return {column.name for column in table.columns if column.personal}


def assert_no_value_of_a_person(schema: ProjectSchema) -> None:
    written = json.dumps(codec.encode(schema)).lower()
    assert "zoe" not in written
    assert "mail1" not in written


def test_a_renamed_personal_column_stays_personal(tmp_path: Path) -> None:
    columns = {"email": PII, "full name": PII}
    schema = distilled(tmp_path, people(columns=columns))
    assert personal(schema.table("stg_people")) == {"contact", "who"}
    assert personal(schema.table("mart_people")) == {"reach", "handle", "domain", "who"}
    assert personal(schema.table("form")) == {"address", "domain"}
    assert_no_value_of_a_person(schema)
    assert "Quinn" not in json.dumps(codec.encode(schema))
    mart = schema.table("mart_people")
    assert mart.column("side").values == ("inside",)
    assert mart.column("town").values == ("Cork",)
    said = [each for each in schema.issues if each.where == "model.crm.mart_people"]
    assert any("reach" in each.message and each.level is Level.INFO for each in said)


def test_without_the_mark_the_values_are_there(tmp_path: Path) -> None:
    """The data would show in the schema: the tests above could fail."""
    schema = distilled(tmp_path, people())
    with pytest.raises(AssertionError):
        assert_no_value_of_a_person(schema)


def test_docs_that_release_a_column_end_the_way(tmp_path: Path) -> None:
    seed = people(columns={"email": PII, "full name": PII})
    schema = distilled(tmp_path, seed, columns={"domain": OPEN, "who": OPEN})
    assert personal(schema.table("mart_people")) == {"reach", "handle"}
    assert personal(schema.table("form")) == {"address"}
    assert schema.table("mart_people").column("domain").values
    cleared = {c.name for t in schema.tables for c in t.columns if c.cleared}
    assert cleared == {"domain", "who"}


def test_what_looks_personal_is_doubted_until_docs_release_it() -> None:
    email = Column("work_email", "VARCHAR", Kind.TEXT, Role.CATEGORY)
    assert may_be_personal(email)
    assert may_be_personal(replace(email, name="reach", format="email"))
    assert not may_be_personal(replace(email, name="reach"))
    assert not may_be_personal(replace(email, cleared=True))
    assert not may_be_personal(replace(email, personal=True)), "marked: no doubt is left"
    assert not may_be_personal(replace(email, role=Role.MEASURE)), "a number of e-mails"


def test_a_marked_table_may_pass_on_any_text(tmp_path: Path) -> None:
    columns = {name: {"name": name, "data_type": "text"} for name in ("email", "full name", "town")}
    columns["id"] = {"name": "id", "data_type": "integer"}
    schema = distilled(tmp_path, people(columns=columns, config={"tags": ["pii"]}))
    assert personal(schema.table("stg_people")) == {"contact", "who", "town"}
    assert personal(schema.table("form")) == {"address", "domain"}
    assert_no_value_of_a_person(schema)
    assert schema.table("stg_people").column("id").maximum == "19"
