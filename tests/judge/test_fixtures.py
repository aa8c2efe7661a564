"""A warehouse is made up for any project: full, as its tests say, and the same each time."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s.duck import Rows
from dbt_t2s.errors import WarehouseError
from dbt_t2s.judge import fixtures
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.sandbox import Sandbox
from tests.judge.made import Made, Manifest, make

ORDERS, CUSTOMERS = "model.shop.stg_orders", "model.shop.stg_customers"
RAW_ORDERS, RAW_CUSTOMERS = "source.shop.raw.orders", "source.shop.raw.customers"


def shop(**more: Any) -> Manifest:
    """Two undocumented sources, two staging models, a mart over both, and their tests."""
    made = Manifest(**more).source("orders").source("customers")
    name = made.database
    made.model(
        "stg_orders",
        f"""with source as (select * from {name}.raw.orders)
        select id as order_id, user_id as customer_id, lower(status) as status,
            cast(ordered_at as timestamp) as ordered_at, amount / 100 as amount
        from source where status <> 'deleted'""",
        RAW_ORDERS,
        fqn=["shop", "staging", "stg_orders"],
    )
    made.model(
        "stg_customers",
        f"select id as customer_id, name, email from {name}.raw.customers where deleted_at is null",
        RAW_CUSTOMERS,
        fqn=["shop", "staging", "stg_customers"],
    )
    made.model(
        "orders",
        f"""select o.order_id, o.customer_id, o.status, o.ordered_at, o.amount, c.name
        from {name}.main.stg_orders as o
        left join {name}.main.stg_customers as c on o.customer_id = c.customer_id""",
        "stg_orders",
        "stg_customers",
    )
    made.test("unique", ORDERS, "order_id").test("not_null", ORDERS, "order_id")
    made.test("unique", CUSTOMERS, "customer_id").test("not_null", CUSTOMERS, "customer_id")
    made.test("accepted_values", ORDERS, "status", values=["placed", "paid", "sent"])
    made.test("not_null", "model.shop.orders", "name")
    return made.test("relationships", ORDERS, "customer_id", to=CUSTOMERS, field="customer_id")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(shop(), tmp_path_factory.mktemp("shop"))


def test_sources_are_made_up_and_models_run(made: Made) -> None:
    assert made.how == {
        "orders": "run", "stg_orders": "run", "stg_customers": "run", "customers": "generated",
    }  # fmt: skip
    assert all(each.rows for each in made.fixtures.tables)
    assert fixtures.summary(made.fixtures.tables) == {"generated": 2, "run": 3}
    assert made.fixtures.path.name == "shop.duckdb"


def test_everything_that_tests_say_holds(made: Made) -> None:
    assert (made.fixtures.held, made.fixtures.checked) == (7, 7)
    assert made.fixtures.issues == ()


def test_marts_agree_with_staging(made: Made) -> None:
    of_mart = made.rows("select order_id, amount from shop.main.orders order by all")
    assert of_mart == made.rows("select order_id, amount from shop.main.stg_orders order by all")


def test_types_come_from_what_sql_does(made: Made) -> None:
    described = made.rows(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'raw' and table_name = 'orders'"
    )
    kinds = {str(row[0]): row[1] for row in described}
    assert kinds["ordered_at"] == "TIMESTAMP"
    assert kinds["status"] == "VARCHAR"
    assert kinds["amount"] == "BIGINT"  # it comes in cents


def test_children_do_not_point_at_what_a_filter_took_away(made: Made) -> None:
    raw = made.values("select count(*) from shop.raw.customers where deleted_at is not null")
    assert raw[0] > 0  # the filter has something to do
    assert made.values("select count(*) from shop.main.orders where name is null") == [0]


def test_the_same_seed_gives_the_same_rows(tmp_path: Path, made: Made) -> None:
    assert make(shop(), tmp_path, folder="again").contents() == made.contents()
    assert make(shop(), tmp_path, seed=1, folder="other").contents() != made.contents()


def test_nothing_else_is_left_in_the_folder(made: Made) -> None:
    assert [each.name for each in made.fixtures.path.parent.iterdir()] == ["shop.duckdb"]


def test_a_filter_on_several_columns_leaves_rows(tmp_path: Path) -> None:
    made = make(
        Manifest()
        .source("events")
        .model(
            "web_events",
            """select id, channel from shop.raw.events
            where channel = 'web' and kind in ('view', 'click') and score > 900
            and happened_on >= '2031-05-01' and not is_test
            and name like 'pre%' and removed_at is null and region is not null""",
            "source.shop.raw.events",
        ),
        tmp_path,
    )
    assert made.how["web_events"] == "run"
    kept = made.values("select count(*) from shop.main.web_events")[0]
    assert 0 < kept < made.values("select count(*) from shop.raw.events")[0]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({"code": "select id from ("}, "cannot be read"),
        ({"code": "select no_such_function(id) as id from shop.raw.orders"}, "no_such_function"),
        ({"code": "", "language": "sql"}, "not in the manifest"),
        ({"code": "def model(dbt, session): ...", "language": "python"}, "python model"),
        ({"code": "select id from shop.raw.orders where 1 = 2"}, "no row"),
        ({"code": "select id from read_csv('/etc/passwd')"}, "disabled by configuration"),
    ],
)
def test_what_does_not_run_is_made_up_and_said(
    tmp_path: Path, model: dict[str, str], says: str
) -> None:
    manifest = Manifest().source("orders", id="INTEGER")
    columns = {"id": {"name": "id", "data_type": "INTEGER"}}
    manifest.model("odd", model.pop("code"), RAW_ORDERS, columns=columns, **model)
    manifest.model("below", "select id from shop.main.odd", "odd")
    made = make(manifest, tmp_path)
    assert made.how["odd"] == "generated"
    assert made.how["below"] == "run"
    assert all(each.rows for each in made.fixtures.tables if each.node.startswith("model"))
    (message,) = made.messages
    assert message.startswith("model.shop.odd: its rows are made up")
    assert says in message


def test_a_model_of_which_no_column_is_known_is_said_to_be_missing(tmp_path: Path) -> None:
    made = make(Manifest().model("odd", "select (("), tmp_path)
    assert made.schema.tables == ()  # distill says so, too
    assert made.fixtures.tables == ()


def test_an_empty_project_has_an_empty_warehouse(tmp_path: Path) -> None:
    made = make(Manifest(), tmp_path)
    assert made.fixtures.tables == ()
    assert made.fixtures.path.is_file()


def test_relationships_in_a_circle_hold(tmp_path: Path) -> None:
    manifest = Manifest().source("staff", id="INTEGER", team_id="INTEGER", boss_id="INTEGER")
    manifest.source("teams", id="INTEGER", lead_id="INTEGER")
    for name in ("staff", "teams"):
        manifest.model(name, f"select * from shop.raw.{name}", f"source.shop.raw.{name}")
        manifest.test("unique", f"model.shop.{name}", "id")
    staff, teams = "model.shop.staff", "model.shop.teams"
    manifest.test("relationships", staff, "team_id", to=teams, field="id")
    manifest.test("relationships", teams, "lead_id", to=staff, field="id")
    manifest.test("relationships", staff, "boss_id", to=staff, field="id")
    made = make(manifest, tmp_path)
    assert (made.fixtures.held, made.fixtures.checked) == (5, 5)
    assert made.values("select count(boss_id) from shop.main.staff")[0] > 0


def test_seeds_are_read_as_they_are_and_others_point_at_them(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds/stores.csv").write_text('code,opened_on\nB 1,2020-02-29\n"C, 2",\n')
    manifest = Manifest().source("sales", store_code="VARCHAR", amount="INTEGER")
    manifest.node("seed", "stores", original_file_path="seeds/stores.csv")
    manifest.model("sales", "select * from shop.raw.sales", "source.shop.raw.sales")
    manifest.model("stores_used", "select * from shop.main.stores", "seed.shop.stores")
    manifest.test("unique", "seed.shop.stores", "code")
    manifest.test(
        "relationships", "model.shop.sales", "store_code", to="seed.shop.stores", field="code"
    )
    made = make(manifest, tmp_path)
    assert made.how["stores"] == "seed"
    assert made.rows("from shop.main.stores") == (("B 1", date(2020, 2, 29)), ("C, 2", None))
    used = set(made.values("select distinct store_code from shop.raw.sales")) - {None}
    assert used == {"B 1", "C, 2"}
    assert made.fixtures.issues == ()


def test_a_seed_without_its_file_is_made_up(tmp_path: Path) -> None:
    columns = {"code": {"name": "code"}}
    manifest = Manifest().node("seed", "stores", original_file_path="gone.csv", columns=columns)
    manifest.model("used", "select code from shop.main.stores", "seed.shop.stores")
    made = make(manifest, tmp_path)
    assert made.how == {"stores": "generated", "used": "run"}
    assert "its file gone.csv is not there" in made.messages[0]


def test_a_snapshot_has_dbts_columns(tmp_path: Path) -> None:
    manifest = Manifest().source("plans", id="INTEGER", updated_at="TIMESTAMP")
    config = {"materialized": "snapshot", "unique_key": "id", "updated_at": "updated_at"}
    source = "source.shop.raw.plans"
    manifest.node(
        "snapshot", "plans_snapshot", "select * from shop.raw.plans", parents=[source],
        config=config,
    )  # fmt: skip
    manifest.model("plans", "from shop.main.plans_snapshot", "snapshot.shop.plans_snapshot")
    made = make(manifest, tmp_path)
    place = "from shop.main.plans_snapshot"
    count = made.values(f"select count(*) {place}")[0]
    assert count > 10
    assert made.rows(f"select count(distinct dbt_scd_id), count(dbt_valid_to) {place}") == (
        (count, 0),
    )


def test_an_incremental_model_runs_as_if_for_the_first_time(tmp_path: Path) -> None:
    manifest = Manifest().source("events", id="INTEGER", seen_at="TIMESTAMP")
    manifest.model(
        "history",
        """select id, seen_at from shop.raw.events
        where seen_at >
            (select coalesce(max(seen_at), timestamp '1900-01-01') from shop.main.history)""",
        "source.shop.raw.events",
        config={"materialized": "incremental"},
    )
    made = make(manifest, tmp_path)
    assert made.how["history"] == "run"
    assert made.fixtures.issues == ()


def test_today_is_the_day_of_the_manifest(tmp_path: Path) -> None:
    manifest = Manifest().source("events", id="INTEGER", on_day="DATE")
    manifest.model(
        "recent",
        "select *, current_date as today from shop.raw.events"
        " where on_day >= current_date - interval 30 day",
        "source.shop.raw.events",
    )
    made = make(manifest, tmp_path)
    assert made.how["recent"] == "run"
    assert made.values("select distinct today from shop.main.recent") == [date(2024, 6, 30)]


@pytest.mark.parametrize("adapter", ["snowflake", "bigquery", "postgres", "databricks"])
def test_gold_sql_of_another_warehouse_runs_in_the_sandbox(tmp_path: Path, adapter: str) -> None:
    made = make(shop(adapter=adapter, database="analytics"), tmp_path)
    assert (made.fixtures.held, made.fixtures.checked) == (7, 7)
    (relation,) = [t.relation for t in made.schema.tables]
    with Sandbox(made.fixtures.path, [relation], adapter) as sandbox:
        found = sandbox.execute(f"select count(*), max(name) from {relation}")
    assert isinstance(found, Rows)
    assert isinstance(found.rows[0][0], int)
    assert found.rows[0][0] > 0


def test_several_databases_lie_in_one_file(tmp_path: Path) -> None:
    manifest = Manifest(adapter="snowflake", database="PROD")
    manifest.source("orders", database="LAKE", id="NUMBER(38, 0)", note="VARIANT")
    manifest.model("orders", 'select o.id, o.note from "LAKE"."raw"."orders" o', RAW_ORDERS)
    manifest.model("archive", "select id from lake.raw.orders", RAW_ORDERS, database="LAKE")
    manifest.model("more", "select id from prod.main.orders", "orders")
    made = make(manifest, tmp_path)
    assert made.fixtures.path.name == "PROD.duckdb"
    assert made.values('select count(*) from PROD."LAKE__raw".orders')[0] > 0
    (message,) = made.messages
    assert 'here it is "PROD"."LAKE__main"."archive"' in message


def test_relations_that_are_no_nodes_are_made_up(tmp_path: Path) -> None:
    made = make(
        Manifest().model("odd", "select o.id, o.paid_at from legacy.orders as o where o.id > 5"),
        tmp_path,
    )
    assert made.how["odd"] == "run"
    assert made.values("select count(*) from shop.legacy.orders")[0] > 0


def test_expressions_of_tests_hold_where_they_can(tmp_path: Path) -> None:
    manifest = Manifest().source("invoices")
    manifest.model(
        "invoices",
        """select id, cast(opened_on as date) as opened_on, cast(closed_on as date) as closed_on,
            (net / 100)::decimal(16, 2) as net, (tax / 100)::decimal(16, 2) as tax,
            (total / 100)::decimal(16, 2) as total
        from shop.raw.invoices""",
        "source.shop.raw.invoices",
    )
    node = "model.shop.invoices"
    manifest.test("expression_is_true", node, expression="total - tax = net")
    manifest.test("expression_is_true", node, expression="opened_on <= closed_on")
    manifest.test("accepted_range", node, "net", min_value=0)
    made = make(manifest, tmp_path)
    assert (made.fixtures.held, made.fixtures.checked) == (3, 3)
    assert made.values("select count(*) from shop.main.invoices")[0] > 10


def test_what_cannot_hold_is_said(tmp_path: Path) -> None:
    manifest = Manifest().source("a", id="INTEGER")
    manifest.model("odd", "select id, 'x' as kind from shop.raw.a", "source.shop.raw.a")
    manifest.test("accepted_values", "model.shop.odd", "kind", values=["y", "z"])
    manifest.test("expression_is_true", "model.shop.odd", expression="no_such_column > 1")
    made = make(manifest, tmp_path)
    assert "accepted_values of kind of model.shop.odd does not hold (40 rows)" in made.messages[0]
    assert "cannot be checked" in made.messages[1]
    assert (made.fixtures.held, made.fixtures.checked) == (0, 2)


def test_rows_that_break_a_test_are_taken_out_before_others_read_them(tmp_path: Path) -> None:
    manifest = Manifest().source("a", id="INTEGER", n="INTEGER")
    manifest.model(
        "twice",
        """select id, case when id % 4 = 0 then null else id end as n from shop.raw.a
        union all select id, id from shop.raw.a""",
        "source.shop.raw.a",
    )
    manifest.model("below", "select id, n from shop.main.twice", "twice")
    manifest.test("unique", "model.shop.twice", "id").test("not_null", "model.shop.twice", "n")
    made = make(manifest, tmp_path)
    assert (made.fixtures.held, made.fixtures.checked) == (2, 2)
    assert made.messages == [
        "model.shop.twice: 40 rows that broke a test were taken out, 40 kept",
    ]
    assert made.values("select count(*) from shop.main.below") == [40]


def test_a_table_declared_twice_is_made_once(tmp_path: Path) -> None:
    manifest = Manifest().source("orders", id="INTEGER", note="VARCHAR").source("copies")
    manifest.sources["source.shop.raw.copies"] |= {"identifier": "ORDERS"}
    manifest.model("first", "select id from shop.raw.orders", RAW_ORDERS)
    manifest.model("second", "select note from shop.raw.orders", "source.shop.raw.copies")
    made = make(manifest, tmp_path)
    assert made.how == {"copies": "generated", "first": "run", "second": "run"}
    assert made.fixtures.issues == ()


def test_a_source_that_is_a_models_table_holds_its_rows(tmp_path: Path) -> None:
    manifest = Manifest().source("orders", id="INTEGER").source("kept")
    manifest.model("kept", "select id, 1 as one from shop.raw.orders", RAW_ORDERS)
    manifest.sources["source.shop.raw.kept"] |= {"schema": "main"}
    manifest.model("above", "select id, one from shop.main.kept", "source.shop.raw.kept")
    made = make(manifest, tmp_path)
    assert made.how == {"orders": "generated", "kept": "run", "above": "run"}
    assert made.values("select distinct one from shop.main.above") == [1]


def test_columns_that_a_model_does_not_put_out_are_said(tmp_path: Path) -> None:
    manifest = Manifest().source("orders", id="INTEGER")
    manifest.model("orders", "select id, 1 as one from shop.raw.orders", RAW_ORDERS)
    project = manifest.write(tmp_path)
    catalog = {"nodes": {"model.shop.orders": {"columns": {
        name: {"name": name, "type": "INTEGER", "index": n} for n, name in enumerate(("id", "old"))
    }}}}  # fmt: skip
    (project.target_path / "catalog.json").write_text(json.dumps(catalog))
    (message,) = make(manifest, tmp_path).messages
    assert message == "model.shop.orders: the made-up table lacks these columns: old"


def test_rows_of_unit_tests_show_what_values_look_like(tmp_path: Path) -> None:
    manifest = Manifest().source("orders", id="INTEGER", code="VARCHAR")
    manifest.model("orders", "select id, code from shop.raw.orders", RAW_ORDERS)
    rows = [{"id": 1, "code": "XK-1"}, {"id": 2, "code": "XK-2"}, {"id": 3, "code": None}]
    manifest.unit_tests["unit_test.shop.orders.t"] = {
        "name": "t", "model": "orders", "depends_on": {"nodes": ["model.shop.orders"]},
        "given": [{"input": "source('raw', 'orders')", "rows": rows}], "expect": {"rows": []},
    }  # fmt: skip
    made = make(manifest, tmp_path)
    assert {"XK-1", "XK-2"} <= set(made.values("select distinct code from shop.main.orders"))


def test_half_structured_columns_have_what_is_read_of_them(tmp_path: Path) -> None:
    manifest = Manifest(adapter="snowflake").source("events")
    manifest.model(
        "events",
        "select id, payload:user.age::int as age, payload:kind::string as kind from shop.raw.events"
        " where payload:user.age is not null",
        "source.shop.raw.events",
    )
    made = make(manifest, tmp_path)
    assert made.how["events"] == "run"
    ages = made.values("select age from shop.main.events")
    assert all(18 <= age <= 80 for age in ages)
    assert len(set(ages)) > 5


def test_instances_are_made_of_a_made_up_warehouse(tmp_path: Path) -> None:
    made = make(shop(adapter="snowflake", database="ANALYTICS"), tmp_path)
    files = make_instances(made.fixtures.path, tmp_path / "instances", made.schema, n=3)
    assert len(set(files)) == 3
    (relation,) = [t.relation for t in made.schema.tables]
    for file in files:
        with Sandbox(file, [relation], "snowflake") as sandbox:
            found = sandbox.execute(f"select count(*) from {relation}")
        assert isinstance(found, Rows)
        assert found.rows[0][0]


def test_a_warehouse_is_made_anew_over_an_old_one(tmp_path: Path, made: Made) -> None:
    first = make(shop(), tmp_path).fixtures.path
    first.with_name(f"{first.name}.wal").write_bytes(b"left by a process that was killed")
    assert make(shop(), tmp_path).contents() == made.contents()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(WarehouseError, match="cannot be written"):
        make(shop(), tmp_path, folder="file")
