"""The artifacts of a company's dbt project of any size, made from nothing and always the same.

Five models a subject: staging, two intermediate ones, a dimension and a fact table, each with SQL
of its own (40 to 130 lines: CTEs, joins, CASE, windows), documented columns, tests and catalog.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tools import company_sql
from tests.tools.company_sql import Model, Subject

PER_SUBJECT = 5
_MACROS = 400

# What dbt writes with every node and nobody reads here: half of a manifest's size.
_REST: dict[str, Any] = {
    "docs": {"show": True, "node_color": None},
    "build_path": None,
    "unrendered_config": {},
    "created_at": 1795636571.895198,
    "doc_blocks": [],
    "refs": [{"name": "another_model", "package": None, "version": None}],
    "sources": [],
    "metrics": [],
    "functions": [],
    "compiled_path": "target/compiled/company/models/marts/some_model_of_the_company.sql",
    "extra_ctes_injected": True,
    "extra_ctes": [],
    "contract": {"enforced": False, "alias_types": True, "checksum": None},
    "group": None,
    "config": {
        "enabled": True, "alias": None, "schema": None, "database": None, "tags": [], "meta": {},
        "group": None, "static_analysis": None, "materialized": "table", "persist_docs": {},
        "incremental_strategy": None, "batch_size": None, "lookback": 1, "begin": None,
        "post-hook": [], "pre-hook": [], "quoting": {}, "column_types": {}, "full_refresh": None,
        "unique_key": None, "on_schema_change": "ignore", "on_configuration_change": "apply",
        "grants": {}, "packages": [], "docs": {"show": True, "node_color": None},
        "contract": {"enforced": False, "alias_types": True}, "event_time": None,
        "concurrent_batches": None, "access": "protected", "freshness": None,
    },
}  # fmt: skip

_MACRO = """{%% macro helper_%d(column_name, precision=2) %%}
    {%%- if target.type == 'bigquery' -%%} round({{ column_name }}, {{ precision }})
    {%%- elif target.type == 'snowflake' -%%} to_decimal({{ column_name }}, 18, {{ precision }})
    {%%- else -%%} cast({{ column_name }} as decimal(18, {{ precision }}))
    {%%- endif -%%}
{%% endmacro %%}"""

_NOUNS = """order invoice shipment payment refund subscription ticket visit campaign contract
    delivery session lead quote claim booking product supplier warehouse employee store account
    device route policy lesson course patient sample meter""".split()
_MEASURES = """amount discount tax cost margin quantity weight score fee balance credit penalty
    deposit bonus volume distance duration price""".split()
_CATEGORIES = {
    "status": ("open", "closed", "cancelled", "pending"),
    "channel": ("web", "store", "partner"),
    "region": ("north", "south", "east", "west"),
    "priority": ("low", "normal", "high"),
    "segment": ("consumer", "business", "public"),
    "method": ("card", "transfer", "cash"),
    "carrier": ("air", "sea", "road"),
}
_FLAGS = ("is_test", "is_internal", "is_deleted", "is_first", "is_returned", "is_paid")
_DATES = ("created_at", "confirmed_at", "shipped_at", "settled_at", "ended_at")


@dataclass(frozen=True)
class Size:
    """How many models, and tests on them in all."""

    models: int
    tests: int


def write(folder: Path, size: Size) -> None:
    """Writes manifest.json, catalog.json and the models' properties into ``folder``."""
    models = list(_models(size.models))
    sources = [_source(model.subject) for model in models if model.layer == "staging"]
    nodes = {node["unique_id"]: node for node in map(_node, models)}
    tests = _tests(models, size.tests)
    manifest = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "dbt_version": "1.11.16",
            "adapter_type": "duckdb",
            "project_name": "company",
        },
        "nodes": {**nodes, **{test["unique_id"]: test for test in tests}},
        "sources": {source["unique_id"]: source for source in sources},
        "macros": {f"macro.company.helper_{n}": _macro(n) for n in range(_MACROS)},
        "parent_map": {key: node["depends_on"]["nodes"] for key, node in nodes.items()},
        "child_map": {key: node["depends_on"]["nodes"] for key, node in nodes.items()},
    }
    catalog = {
        "nodes": {_id(model): _catalogued(model) for model in models},
        "sources": {},
        "metadata": {},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    for layer in ("staging", "intermediate", "marts"):
        path = folder / "models" / layer / f"{layer}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_properties(models, layer), encoding="utf-8")


def _properties(models: list[Model], layer: str) -> str:
    lines = ["models:"]
    for model in models:
        if model.layer == layer:
            lines += [f"  - name: {model.name}", "    columns:"]
            for name, _ in model.columns:
                lines += [f"      - name: {name}", f"        description: {_said(name, model)}"]
    return "\n".join(lines) + "\n"


def _said(name: str, model: Model) -> str:
    return f"{name.replace('_', ' ')} of the {model.subject.name}"


def change_one(folder: Path) -> None:
    """Rewrites the manifest with one model's SQL changed, as an edit and ``dbt compile`` would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    names = sorted(name for name in manifest["nodes"] if name.startswith("model.company.fct_"))
    node = manifest["nodes"][names[len(names) // 2]]
    node["compiled_code"] += "\n    and 1 = 1"
    node["checksum"]["checksum"] += "0"
    path.write_text(json.dumps(manifest), encoding="utf-8")


def _models(count: int) -> Iterator[Model]:
    rng = random.Random(7)
    earlier: list[Subject] = []
    made = 0
    while made < count:
        subject = _subject(len(earlier), rng, earlier)
        for model in company_sql.models(subject)[: count - made]:
            made += 1
            yield model
        earlier.append(subject)


def _subject(index: int, rng: random.Random, earlier: list[Subject]) -> Subject:
    noun = _NOUNS[index % len(_NOUNS)]
    name = noun if index < len(_NOUNS) else f"{noun}_{index // len(_NOUNS)}"
    return Subject(
        name=name,
        measures=tuple(f"{noun}_{each}" for each in rng.sample(_MEASURES, rng.randint(3, 6))),
        categories={
            each: _CATEGORIES[each] for each in rng.sample(sorted(_CATEGORIES), rng.randint(2, 4))
        },
        flags=tuple(rng.sample(_FLAGS, 2)),
        dates=tuple(rng.sample(_DATES, rng.randint(2, 3))),
        parents=tuple(rng.sample(earlier[-40:], min(len(earlier), rng.randint(1, 3)))),
        limit=rng.randint(2, 90) * 10,
    )


def _id(model: Model) -> str:
    return f"model.company.{model.name}"


def _node(model: Model) -> dict[str, Any]:
    raw = company_sql.as_jinja(model.sql)
    return {
        **_REST,
        **_common(_id(model), "model", model.name),
        "schema": model.layer,
        "relation_name": f'"company"."{model.layer}"."{model.name}"',
        "fqn": ["company", model.layer, model.name],
        "original_file_path": f"models/{model.layer}/{model.name}.sql",
        "patch_path": f"company://models/{model.layer}/{model.layer}.yml",
        "checksum": {"name": "sha256", "checksum": f"{zlib.crc32(model.sql.encode()):08x}"},
        "language": "sql",
        "description": f"One row per {model.subject.name}, {model.layer} layer.",
        "raw_code": raw,
        "compiled_code": model.sql,
        "compiled": True,
        "columns": {
            name: {
                "name": name,
                "description": _said(name, model),
                "meta": {},
                "data_type": None,
                "constraints": [],
                "tags": [],
            }
            for name, _ in model.columns
        },
        "depends_on": {"nodes": list(model.parents), "macros": []},
        "access": "protected",
    }


def _source(subject: Subject) -> dict[str, Any]:
    return {
        **_common(f"source.company.app.{subject.name}", "source", subject.name),
        "identifier": subject.name,
        "schema": "app",
        "relation_name": f'"company"."app"."{subject.name}"',
        "columns": {},
        "config": {"enabled": True},
    }


def _common(unique_id: str, kind: str, name: str) -> dict[str, Any]:
    return {
        "unique_id": unique_id,
        "resource_type": kind,
        "package_name": "company",
        "name": name,
        "alias": name,
        "database": "company",
        "tags": [],
        "meta": {},
    }


def _macro(number: int) -> dict[str, Any]:
    unique_id = f"macro.company.helper_{number}"
    return {**_common(unique_id, "macro", f"helper_{number}"), "macro_sql": _MACRO % number}


def _catalogued(model: Model) -> dict[str, Any]:
    return {
        "metadata": {"type": "BASE TABLE", "schema": model.layer, "name": model.name},
        "columns": {
            name: {"name": name, "type": type_, "index": index}
            for index, (name, type_) in enumerate(model.columns, 1)
        },
        "stats": {},
        "unique_id": _id(model),
    }


def _tests(models: list[Model], count: int) -> list[dict[str, Any]]:
    """``count`` tests spread evenly: keys first, then references, values and NULLs."""
    possible = [list(_possible(model)) for model in models]
    rounds = max(map(len, possible))
    turns = (each[turn] for turn in range(rounds) for each in possible if turn < len(each))
    return [test for test, _ in zip(turns, range(count), strict=False)]


def _possible(model: Model) -> Iterator[dict[str, Any]]:
    subject = model.subject
    yield _test(model, "unique", subject.key, {})
    yield _test(model, "not_null", subject.key, {})
    names = [name for name, _ in model.columns]
    for parent in subject.parents:
        if parent.key in names:
            to = {"to": f"ref('dim_{parent.name}')", "field": parent.key}
            yield _test(model, "relationships", parent.key, to, f"model.company.dim_{parent.name}")
    for name, values in subject.categories.items():
        if name in names:
            yield _test(model, "accepted_values", name, {"values": list(values)})
    for name in names:
        if name != subject.key:
            yield _test(model, "not_null", name, {})


def _test(
    model: Model, kind: str, column: str, given: dict[str, Any], target: str = ""
) -> dict[str, Any]:
    name = f"{kind}_{model.name}_{column}"
    jinja = "{{ get_where_subquery(ref('" + model.name + "')) }}"
    return {
        **_REST,
        **_common(f"test.company.{name}.{zlib.crc32(name.encode()):08x}", "test", name),
        "schema": "dbt_test__audit",
        "fqn": ["company", model.layer, name],
        "original_file_path": f"models/{model.layer}/{model.layer}.yml",
        "language": "sql",
        "raw_code": "{{ test_" + kind + "(**_dbt_generic_test_kwargs) }}",
        "compiled_code": f"select {column}\nfrom company.{model.layer}.{model.name}\n"
        f"where {column} is null",
        "column_name": column,
        "file_key_name": f"models.{model.name}",
        "attached_node": _id(model),
        "test_metadata": {
            "name": kind,
            "kwargs": {"column_name": column, "model": jinja, **given},
            "namespace": None,
        },
        "config": {
            "enabled": True, "alias": None, "schema": "dbt_test__audit", "database": None,
            "tags": [], "meta": {}, "group": None, "static_analysis": None, "materialized": "test",
            "severity": "ERROR", "store_failures": None, "store_failures_as": None, "where": None,
            "limit": None, "fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0",
        },
        "columns": {},
        "description": "",
        "depends_on": {
            "nodes": [*([target] if target else []), _id(model)],
            "macros": [f"macro.dbt.test_{kind}", "macro.dbt.get_where_subquery"],
        },
    }  # fmt: skip
