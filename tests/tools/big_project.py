"""A dbt manifest of any size, made in memory: staging over sources, chains over stars, marts."""

from __future__ import annotations

from typing import Any

_COLUMNS = ("id", "customer_id", "ordered_on", "amount", "discount", "status")

_STAGING = """with source as (select * from shop.raw.{source}),
renamed as (
    select id, customer_id, cast(ordered_on as date) as ordered_on,
        cast(amount as decimal(12, 2)) as amount, cast(discount as decimal(12, 2)) as discount,
        lower(status) as status
    from source
)
select * from renamed"""

_CHAIN = """with above as (select * from shop.main.{above}),
added as (select *, amount - discount as net_{index} from above where status <> 'test')
select id, customer_id, ordered_on, amount, discount, status, net_{index} from added"""

_MART = """with above as (select * from shop.main.{above}),
other as (select * from shop.main.{other})
select above.customer_id, date_trunc('month', above.ordered_on) as month,
    count(*) as orders, sum(above.amount - above.discount) as net_amount,
    case when sum(above.amount) > 100 then 'big' else 'small' end as size
from above left join other using (id)
group by 1, 2"""


def manifest(models: int) -> dict[str, Any]:
    """A manifest of ``models`` models over a tenth as many sources (one at least).

    One in ten is a staging model, one in ten a mart that joins two others, the rest are chains of
    ``select *`` over the model before. Nothing has declared columns.
    """
    nodes: dict[str, Any] = {}
    sources: dict[str, Any] = {}
    for index in range(models):
        above = f"m_{index - 1}"
        if index % 10 == 0:
            found = _source(index)
            sources[found["unique_id"]] = found
            code, parents = _STAGING.format(source=found["name"]), [found["unique_id"]]
        elif index % 10 == 9:
            other = f"m_{index - 5}"
            code = _MART.format(above=above, other=other)
            parents = [f"model.shop.{above}", f"model.shop.{other}"]
        else:
            code, parents = _CHAIN.format(above=above, index=index), [f"model.shop.{above}"]
        nodes[f"model.shop.m_{index}"] = _model(index, code, parents)
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "dbt_version": "1.11.16",
            "adapter_type": "duckdb",
            "project_name": "shop",
        },
        "nodes": nodes,
        "sources": sources,
    }


def _model(index: int, code: str, parents: list[str]) -> dict[str, Any]:
    name = f"m_{index}"
    return {
        "unique_id": f"model.shop.{name}",
        "resource_type": "model",
        "package_name": "shop",
        "name": name,
        "alias": name,
        "database": "shop",
        "schema": "main",
        "relation_name": f'"shop"."main"."{name}"',
        "fqn": ["shop", "marts", name],
        "original_file_path": f"models/marts/{name}.sql",
        "language": "sql",
        "compiled_code": code,
        "columns": {},
        "config": {"materialized": "table", "enabled": True},
        "depends_on": {"nodes": parents, "macros": []},
    }


def _source(index: int) -> dict[str, Any]:
    name = f"raw_{index}"
    return {
        "unique_id": f"source.shop.raw.{name}",
        "resource_type": "source",
        "package_name": "shop",
        "name": name,
        "identifier": name,
        "database": "shop",
        "schema": "raw",
        "relation_name": f'"shop"."raw"."{name}"',
        "columns": {each: {"name": each} for each in _COLUMNS},
        "config": {"enabled": True},
    }
