"""Rebuilt files, and what they decide, on a tiny project built by the real dbt."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dbt_t2s import duck
from dbt_t2s.duck import Rows
from dbt_t2s.judge.input_tables import Reference, look, references
from dbt_t2s.judge.instances import make_instances
from dbt_t2s.judge.outcomes import Outcome
from dbt_t2s.judge.rebuilt import Rebuilt, above, make_rebuilt
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.judge.thinned_inputs import TURNS
from dbt_t2s.judge.validate import House, validate
from dbt_t2s.judge.verdicts import Everywhere, Rebuilding
from dbt_t2s.project import artifacts
from dbt_t2s.project.dbt import open_project
from dbt_t2s.project.distill import distill
from dbt_t2s.project.schema import ProjectSchema
from tests.conftest import dbt
from tests.judge.test_replay import DAYS
from tests.judge.test_validate import item, ok

LINES = """
select id as line_id, order_id, product_id, quantity, price from {{ ref('raw_order_lines') }}
"""
PRODUCTS = """
select p.id as product_id, p.name,
    coalesce(sum(l.quantity) filter (where o.status <> 'cancelled'), 0) as units_sold
from {{ ref('raw_products') }} as p
left join {{ ref('raw_order_lines') }} as l on l.product_id = p.id
left join {{ ref('orders') }} as o on o.order_id = l.order_id
group by p.id, p.name
"""
MORE = """
models:
  - name: order_lines
    columns:
      - name: line_id
        data_tests: [unique, not_null]
      - name: order_id
        data_tests:
          - relationships: {arguments: {to: ref('orders'), field: order_id}}
  - name: products
    columns:
      - name: product_id
        data_tests: [unique, not_null]
"""
BEST = "select name from products order by units_sold desc limit 3"
ADDED_UP = (
    "select p.name from order_lines as l join orders as o using (order_id)"
    " join products as p using (product_id) where o.status <> 'cancelled'"
    " group by p.name order by sum(l.quantity) desc limit 3"
)


@pytest.fixture(scope="module")
def project(built_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with lines and products, whose units sold are stored. Not to be changed."""
    folder = Path(shutil.copytree(built_shop, tmp_path_factory.mktemp("lines") / "shop"))
    # The first three are the same however one counts.
    sold = [12, 11, 12, 10, 11, 12, 9, 11, 12, 10, 11]
    lines = [
        f"{i},{i % 120 + 1},{product},{i % 4 + 1},{i % 50}.25"
        for i in range(1, 361)
        for product in (i % 8 + 1 if i % 12 == 0 else sold[i * i % 47 % 11],)
    ]
    products = [f"{i},Product {i}" for i in range(1, 13)]
    for path, text in {
        "seeds/raw_order_lines.csv": "\n".join(("id,order_id,product_id,quantity,price", *lines)),
        "seeds/raw_products.csv": "\n".join(("id,name", *products)),
        "models/order_lines.sql": LINES,
        "models/products.sql": PRODUCTS,
        "models/days.sql": DAYS,
        "models/more.yml": MORE,
    }.items():
        (folder / path).write_text(text)
    dbt("build", cwd=folder)
    dbt("compile", cwd=folder)  # now an incremental model's SQL reads its own table
    return folder


@dataclass(frozen=True)
class Made:
    source: Path
    schema: ProjectSchema
    rebuilt: Rebuilt


def make(
    project: Path, folder: Path, seed: int = 0, edit: Callable[[Any], None] | None = None
) -> Made:
    opened = open_project(project)
    schema = distill(opened)
    read = artifacts.read(opened.target_path)
    if edit is not None:
        edit(read.manifest)
    (source, *_) = make_instances(project / "shop.duckdb", folder, schema, n=1)
    return Made(source, schema, make_rebuilt(source, folder, schema, read, seed))


@pytest.fixture(scope="module")
def made(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    before = (project / "shop.duckdb").read_bytes()
    found = make(project, tmp_path_factory.mktemp("rebuilt"))
    assert (project / "shop.duckdb").read_bytes() == before
    return found


def rows(path: Path, sql: str) -> tuple[tuple[object, ...], ...]:
    with closing(duck.open_read_only(path)) as connection:
        found = duck.run(connection, sql, 10_000)
    assert isinstance(found, Rows), found
    return found.rows


def count(path: Path, sql: str) -> int:
    return int(str(rows(path, f"select count(*) from ({sql})")[0][0]))


def test_models_run_over_fewer_rows(made: Made) -> None:
    assert made.rebuilt.problem == ""
    assert len(made.rebuilt.files) == TURNS
    total = "select product_id, units_sold from products order by 1"
    summed = (
        "select product_id, coalesce(sum(quantity) filter (where status <> 'cancelled'), 0)"
        " from products left join order_lines using (product_id)"
        " left join orders using (order_id) group by 1 order by 1"
    )
    days = "select day, total from days order by 1"
    by_day = "select ordered_on, sum(amount) from orders group by 1 order by 1"
    for file in made.rebuilt.files:
        assert 0 < count(file, "from orders") < count(made.source, "from orders")
        assert rows(file, total) == rows(file, summed) != rows(made.source, total)
        assert rows(file, days) == rows(file, by_day) != rows(made.source, days)
        assert count(file, "from products") == 12


def test_rows_of_a_family_stay_together(made: Made) -> None:
    """Every order has three lines in the data."""
    orphans = "from order_lines anti join orders using (order_id)"
    lines = (
        "select distinct count(line_id) from orders left join order_lines using (order_id)"
        " group by order_id"
    )
    for file in made.rebuilt.files:
        assert count(file, orphans) == 0
        assert rows(file, lines) == ((3,),)
        # Each customer has orders in the data.
        assert count(file, "from customers anti join orders using (customer_id)") == 0


def test_amounts_of_a_family_change_alike(made: Made) -> None:
    changed = 0
    for file in made.rebuilt.files:
        orders, lines = (
            factors(made.source, file, *each)
            for each in (("orders", "order_id", "amount"), ("order_lines", "line_id", "price"))
        )
        changed += sum(each != 1 for each in orders.values())
        for line, order in rows(file, "select line_id, order_id from order_lines"):
            if line in lines and order in orders:
                assert lines[line] == pytest.approx(orders[order])
    assert changed


def factors(one: Path, other: Path, table: str, key: str, amount: str) -> dict[object, float]:
    """How many times as large amounts are in another file, by row."""
    asked = f"select {key}, {amount}::double from {table} where {amount} > 0"
    before = {row[0]: float(str(row[1])) for row in rows(one, asked)}
    return {row[0]: float(str(row[1])) / before[row[0]] for row in rows(other, asked)}


def test_the_same_seed_makes_the_same_rows(project: Path, made: Made, tmp_path: Path) -> None:
    every = "select * from orders order by all"
    found = [rows(file, every) for file in made.rebuilt.files]
    again = make(project, tmp_path / "again").rebuilt.files
    other = make(project, tmp_path / "other", seed=1).rebuilt.files
    assert [rows(file, every) for file in again] == found
    assert [rows(file, every) for file in other] != found


@dataclass(frozen=True)
class Judge:
    """Judges one answer on the warehouse and a perturbed copy, with rebuilt files or without."""

    made: Made
    run: Everywhere
    files: Everywhere
    above: dict[str, frozenset[str]]

    def __call__(self, gold: str, sql: str, *, rebuilt: bool = True, above: bool = True) -> Outcome:
        files = self.files if rebuilt else None
        (outcome,) = validate(
            [item("Which one?", gold)],
            lambda _: [ok(sql)],
            self.run,
            2,
            "duckdb",
            house=House(self.made.schema.tables),
            rebuilding=Rebuilding(lambda: files, self.above if above else {}),
        ).outcomes
        return outcome


@pytest.fixture(scope="module")
def judge(project: Path, made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    folder = tmp_path_factory.mktemp("judged")
    first, *others = make_instances(project / "shop.duckdb", folder, made.schema)
    relations = [table.relation for table in made.schema.tables]
    one, *more = made.rebuilt.files
    read = artifacts.read(project / "target")
    with (
        Sandbox(first, relations, others=others) as whole,
        Sandbox(one, relations, others=more) as rebuilt,
    ):
        yield Judge(made, whole.execute_each, rebuilt.execute_each, dict(above(made.schema, read)))


def test_a_stored_total_is_its_sum(judge: Judge) -> None:
    gold = "select name, units_sold from products where units_sold > 0"
    answer = (
        "select p.name, sum(l.quantity) from order_lines as l join orders as o using (order_id)"
        " join products as p using (product_id) where o.status <> 'cancelled' group by 1"
    )
    for pair in ((gold, answer), (answer, gold)):
        assert judge(*pair).correct
        alone = judge(*pair, rebuilt=False)
        assert (alone.correct, alone.equal) == (False, (True, False))
        assert alone.detail.endswith("(on instance 2)")


@pytest.mark.parametrize(
    ("was", "near"),
    [
        ("where o.status <> 'cancelled'", ""),  # it forgets a rule
        ("sum(l.quantity)", "sum(l.price)"),  # it adds up other things
        ("<> 'cancelled'", "= 'paid'"),
    ],
)
def test_what_is_right_by_luck_is_wrong(judge: Judge, was: str, near: str) -> None:
    assert judge(BEST, ADDED_UP).correct
    outcome = judge(BEST, ADDED_UP.replace(was, near))
    assert outcome.equal[0]
    assert not outcome.correct
    assert outcome.detail.endswith("(on rebuilt tables)")


def test_where_no_relation_can_break_all_instances_are_asked(judge: Judge) -> None:
    assert judge(BEST, ADDED_UP).correct
    apart = judge(BEST, ADDED_UP, above=False)
    assert apart.correct is judge(BEST, ADDED_UP, rebuilt=False).correct


def test_of_the_same_tables_rebuilt_files_are_not_asked(judge: Judge) -> None:
    def never() -> Everywhere | None:
        raise AssertionError

    rebuilding = Rebuilding(never, judge.above)
    names = frozenset({"products", "orders"})
    assert not rebuilding.decides(names, names)
    assert rebuilding.decides(names, frozenset({"products", "order_lines"}))
    assert rebuilding.decides(names, frozenset({"products"}))
    assert not rebuilding.decides(frozenset({"days"}), frozenset({"unheard of"}))
    assert not Rebuilding(never, {"a": frozenset("x"), "b": frozenset("y")}).decides(
        frozenset("a"), frozenset("b")
    )
    report = validate(
        [item("Names?", "select name from products")],
        lambda _: [ok("select name from products order by name")],
        judge.run,
        2,
        "duckdb",
        house=House(judge.made.schema.tables),
        rebuilding=rebuilding,
    )
    assert report.outcomes[0].correct


def uncompiled(manifest: Any) -> None:
    manifest["nodes"]["model.shop.products"]["compiled_code"] = ""


def python(manifest: Any) -> None:
    manifest["nodes"]["model.shop.order_lines"]["language"] = "python"


def failing(manifest: Any) -> None:
    manifest["nodes"]["model.shop.orders"]["compiled_code"] = "select * from nowhere"


def emptied(manifest: Any) -> None:
    manifest["nodes"]["model.shop.orders"]["compiled_code"] += " where false"


def doubled(manifest: Any) -> None:
    code = manifest["nodes"]["model.shop.orders"]["compiled_code"]
    manifest["nodes"]["model.shop.orders"]["compiled_code"] = f"{code} union all {code}"


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (uncompiled, "model.shop.products cannot be run again: its compiled SQL is not"),
        (python, "model.shop.order_lines cannot be run again: a python model"),
        (failing, "model.shop.orders cannot be run again: "),
        (emptied, "it breaks rows of model.shop.days"),
        (doubled, "it breaks unique of model.shop.orders"),
    ],
)
def test_what_cannot_be_rebuilt_is_given_up(
    project: Path, tmp_path: Path, edit: Callable[[Any], None], why: str
) -> None:
    found = make(project, tmp_path, edit=edit).rebuilt
    assert found.files == ()
    assert found.problem.startswith(why) or why in found.problem
    assert not list(tmp_path.glob("rebuilt_*"))


def test_amounts_stay_where_a_test_bounds_them(project: Path, tmp_path: Path) -> None:
    """No order may be over 1000 euros; with other amounts some would be."""

    def bounded(manifest: Any) -> None:
        manifest["nodes"]["test.shop.bounded"] = {
            "unique_id": "test.shop.bounded", "resource_type": "test", "name": "bounded",
            "test_metadata": {
                "name": "accepted_range", "namespace": "dbt_utils",
                "kwargs": {"column_name": "amount", "max_value": 1000},
            },
            "attached_node": "model.shop.orders", "column_name": "amount",
            "depends_on": {"nodes": ["model.shop.orders"]}, "config": {}, "columns": {},
        }  # fmt: skip

    free, found = (
        make(project, tmp_path / "free"),
        make(project, tmp_path / "bounded", edit=bounded),
    )
    high = "from orders where amount > 1000"
    assert all(count(file, high) for file in free.rebuilt.files)
    assert found.rebuilt.problem == ""
    for file in found.rebuilt.files:
        assert count(file, high) == 0
        assert count(file, "from orders") < 120


def test_few_rows_go_where_a_table_would_be_empty_without_them(
    project: Path, tmp_path: Path
) -> None:
    def wanting(manifest: Any) -> None:
        """No order is shown unless there are 95 of them."""
        node = manifest["nodes"]["model.shop.orders"]
        node["compiled_code"] += ' where (select count(*) from "shop"."main"."raw_orders") >= 95'

    found = make(project, tmp_path, edit=wanting)
    assert found.rebuilt.problem == ""
    assert all(95 <= count(file, "from orders") < 120 for file in found.rebuilt.files)


def test_a_file_of_another_name_is_given_up(project: Path, made: Made, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    shutil.copy(made.source, other)
    read = artifacts.read(project / "target")
    found = make_rebuilt(other, tmp_path, made.schema, read)
    assert (found.files, found.problem) == ((), "most tables are in another database: shop")


def test_references_are_found_in_repeated_and_dirty_rows() -> None:
    """Loads repeat some customers, one of an order's is gone, quantities are no customers."""
    with duck.open_memory() as connection:
        for statement in (
            "create table raw_customers as select range % 100 + 1 as id, range as loaded"
            " from range(108)",
            "create table raw_orders as select range as id, 1 + range % 101 as customer,"
            " 1 + range % 5 as quantity, range / 7 as amount, range / 1000 as share"
            " from range(900)",
            "create table empty (id integer, customer_id integer)",
        ):
            connection.execute(statement)
        tables = [look(connection, name, name) for name in ("empty", "raw_customers", "raw_orders")]
        found = references(connection, tables)
    assert found == (Reference("raw_orders", "customer", "raw_customers", "id", every=True),)
    empty, customers, orders = tables
    assert (empty.keys, empty.rows) == ((), 0)
    assert (customers.keys, customers.amounts) == (("id", "loaded"), ())
    assert (orders.keys, orders.amounts) == (("id",), ("amount",))
