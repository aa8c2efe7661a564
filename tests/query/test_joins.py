"""The join graph: paths that never multiply rows."""

from __future__ import annotations

import pytest

from dbt_t2s.project.schema import Cardinality, Join, ProjectSchema, Table
from dbt_t2s.query.joins import JoinGraph
from tests.query.shop import shop_schema

GRAPH = JoinGraph(shop_schema())


def graph(*edges: tuple[str, str], one_to_one: tuple[str, str] | None = None) -> JoinGraph:
    names = sorted({name for edge in edges for name in edge} | set(one_to_one or ()))
    tables = tuple(Table(n, n, n, n, ()) for n in names)
    joins = [Join(a, (f"{b}_id",), b, ("id",)) for a, b in edges]
    if one_to_one:
        left, right = one_to_one
        joins.append(Join(left, ("id",), right, ("id",), Cardinality.ONE_TO_ONE))
    return JoinGraph(ProjectSchema("p", "duckdb", tables, tuple(joins)))


def test_a_path_goes_from_many_to_one() -> None:
    path = GRAPH.path("order_items", "customers")
    assert path is not None
    assert [(j.table, j.to_table) for j in path] == [
        ("order_items", "orders"),
        ("orders", "customers"),
    ]
    assert GRAPH.path("customers", "orders") is None
    assert GRAPH.path("orders", "orders") == ()


def test_what_a_table_reaches() -> None:
    assert GRAPH.reachable("orders") == {"orders", "customers", "stores"}
    assert GRAPH.reaches("order_items", "stores") and not GRAPH.reaches("stores", "orders")
    assert not GRAPH.reaches("orders", "nowhere")


@pytest.mark.parametrize(
    ("tables", "bridge"),
    [
        ({"orders"}, "orders"),
        ({"orders", "customers"}, "orders"),
        ({"customers", "stores"}, "orders"),
        ({"customers", "products"}, "order_items"),
        ({"products", "orders"}, "order_items"),
        ({"nowhere"}, None),
    ],
)
def test_the_bridge_reaches_all(tables: set[str], bridge: str | None) -> None:
    assert GRAPH.bridge(frozenset(tables)) == bridge


def test_one_to_one_runs_both_ways() -> None:
    both = graph(("orders", "customers"), one_to_one=("customers", "profiles"))
    assert both.reaches("orders", "profiles")
    back = both.path("profiles", "customers")
    assert back is not None and back[0].table == "profiles"


def test_the_shortest_path_is_taken_and_cycles_end() -> None:
    short = graph(("a", "b"), ("b", "c"), ("a", "c"), ("c", "a"))
    path = short.path("a", "c")
    assert path is not None and len(path) == 1
    assert short.reachable("b") == {"a", "b", "c"}


def weighted(*edges: tuple[str, str, int, bool]) -> JoinGraph:
    names = sorted({name for edge in edges for name in edge[:2]})
    tables = tuple(Table(n, n, n, n, ()) for n in names)
    joins = tuple(
        Join(a, (f"{b}_id_{support}",), b, ("id",), support=support, proven=proven)
        for a, b, support, proven in edges
    )
    return JoinGraph(ProjectSchema("p", "duckdb", tables, joins))


def test_a_longer_proven_path_comes_before_a_guess() -> None:
    path = weighted(("a", "c", 9, False), ("a", "b", 0, True), ("b", "c", 0, True)).path("a", "c")
    assert path is not None and [join.to_table for join in path] == ["b", "c"]


def test_a_guess_leads_where_nothing_proven_does_and_proven_edges_go_on_from_there() -> None:
    path = weighted(("a", "b", 0, False), ("b", "c", 0, True)).path("a", "c")
    assert path is not None and [join.proven for join in path] == [False, True]


def test_of_two_proven_edges_the_more_used_is_taken() -> None:
    path = weighted(("a", "b", 1, True), ("a", "b", 5, True)).path("a", "b")
    assert path is not None and path[0].support == 5


def test_a_bridge_along_proven_edges_comes_before_a_guess_between_two() -> None:
    edges = (("a", "b", 0, False), ("x", "a", 0, True), ("x", "b", 0, True))
    assert weighted(*edges).bridge(frozenset(("a", "b"))) == "x"
    assert weighted(edges[0]).bridge(frozenset(("a", "b"))) == "a"


def test_edges_to_unknown_tables_are_left_out() -> None:
    table = Table("a", "a", "a", "a", ())
    joins = (Join("a", ("x",), "gone", ("id",)), Join("gone", ("x",), "a", ("id",)))
    assert JoinGraph(ProjectSchema("p", "duckdb", (table,), joins)).reachable("a") == {"a"}
