"""Column lineage: found as it was built in, whatever the SQL looks like."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s import sql
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.node_sql import LONGEST
from dbt_t2s.project.outputs import Output, Relation, carried, source
from dbt_t2s.project.trace import Traced, trace
from tests.tools import big_project

TABLES = {"a": ("k", "x", "y"), "b": ("k", "z")}


def look_up(parts: tuple[str, ...]) -> Relation:
    if parts[-1] == "open":
        return Relation({}, "its columns are not known", "source.open")
    names = TABLES.get(parts[-1], ())
    return Relation({each: source(parts[-1], each) for each in names})


def traced(code: str, dialect: str = "duckdb") -> Traced:
    return trace(sql.parse_one(code, dialect), dialect, look_up)


def outputs(code: str, dialect: str = "duckdb") -> Mapping[str, Output]:
    found = traced(code, dialect)
    assert not found.hidden
    return {each.name: each for each in found.outputs}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("select x from a", {"x": ("a.x",)}),
        ("select X as Total from A", {"Total": ("a.x",)}),
        ('select "x" from "a" as t', {"x": ("a.x",)}),
        ("with c as (select * from a) select * from c",
         {"k": ("a.k",), "x": ("a.x",), "y": ("a.y",)}),
        ("with c(p, q) as (select x, y from a) select q - p as d from c", {"d": ("a.y", "a.x")}),
        ("select * exclude (y) replace (x + 1 as x) from a", {"k": ("a.k",), "x": ("a.x",)}),
        ("select * from a join b using (k)",
         {"k": ("a.k",), "x": ("a.x",), "y": ("a.y",), "z": ("b.z",)}),
        ("select k from a full join b using (k)", {"k": ("a.k", "b.k")}),
        ("select x from a union all select z from b", {"x": ("a.x", "b.z")}),
        ("select x from a except select z from b", {"x": ("a.x",)}),
        ("select x from a union all select null", {"x": ("a.x",)}),
        ("select sum(x) over (partition by y order by k) as s from a",
         {"s": ("a.x", "a.y", "a.k")}),
        ("select x + y as s, s * 2 as t from a", {"s": ("a.x", "a.y"), "t": ("a.x", "a.y")}),
        ("select (select max(z) from b where b.k = a.k) as m from a", {"m": ("b.z",)}),
        ("select v from a, unnest([a.x, a.y]) as u(v)", {"v": ("a.x", "a.y")}),
        ("with recursive r as (select x from a union all select x + 1 from r) select x from r",
         {"x": ("a.x",)}),
        ("select z from a join b on a.k = b.k", {"z": ("b.z",)}),
        ("select count(*) as n from a", {"n": ()}),
    ],
)  # fmt: skip
def test_sources_of(code: str, expected: dict[str, tuple[str, ...]]) -> None:
    found = outputs(code)
    got = {name: set(each.sources) for name, each in found.items()}
    assert got == {name: set(each) for name, each in expected.items()}
    assert [each.problem for each in found.values() if each.problem] == []


def test_net_of_what_can_be_read() -> None:
    code = "with c as (select x - y as net from a) select sum(net) as total from c"
    total = outputs(code)["total"]
    assert sql.to_sql(total.value, "duckdb") == "SUM((a.x - a.y))"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("select nothing from a", "nothing that it reads has nothing"),
        ("select k from a join b on true", "k may come from any of a, b"),
        ("select a.nothing from a", "a has no column nothing"),
    ],
)
def test_what_cannot_be_told_says_why(code: str, why: str) -> None:
    assert [each.problem for each in traced(code).outputs] == [why]


def test_a_star_over_unknown_columns_is_said_and_still_names_the_node() -> None:
    found = traced("with c as (select * from open) select *, p + q as s from c")
    assert found.hidden == "its columns are not known"
    assert found.outputs[0].sources == ("source.open.p", "source.open.q")
    passed_on = found.relation().column("r")
    assert passed_on is not None
    assert passed_on.sources == ("source.open.r",)


STEP = st.sampled_from(["star", "rename", "add", "subquery", "union"])


@given(st.lists(STEP, max_size=12))
def test_chains_of_ctes_lead_to_the_lineage_built_in(steps: list[str]) -> None:
    ctes, name, sources, above = ["c0 as (select x, y from a)"], "x", {"a.x"}, "c0"
    for index, step in enumerate(steps, 1):
        new = f"x{index}"
        select = {
            "star": f"select * from {above}",
            "rename": f"select {name} as {new}, y from {above}",
            "add": f"select {name} + y as {new}, y from {above}",
            "subquery": f"select * from (select y, {name.upper()} as {new} from {above}) as s",
            "union": f"select {name} as {new}, y from {above} union all select z, z from b",
        }[step]
        if step == "add":
            sources = sources | _y_sources(steps[: index - 1])
        if step == "union":
            sources = sources | {"b.z"}
        name = name if step == "star" else new
        ctes.append(f"c{index} as ({select})")
        above = f"c{index}"
    found = outputs(f"with {', '.join(ctes)} select {name} from {above}")
    assert set(found[name].sources) == sources


def _y_sources(steps: list[str]) -> set[str]:
    return {"a.y", "b.z"} if "union" in steps else {"a.y"}


def lineage(models: int) -> tuple[Lineage, Artifacts]:
    artifacts = Artifacts(big_project.manifest(models))
    return Lineage(artifacts, "duckdb"), artifacts


def test_stars_are_expanded_through_the_nodes_above() -> None:
    found, _ = lineage(10)
    columns = {each.name: each for each in found.columns("model.shop.m_9")}
    assert list(columns) == ["customer_id", "month", "orders", "net_amount", "size"]
    net = columns["net_amount"]
    assert net.sources == ("model.shop.m_8.amount", "model.shop.m_8.discount")
    assert net.expression == "SUM(model.shop.m_8.amount - model.shop.m_8.discount)"
    assert (net.origin, net.confidence) == ("sql", 0.6)
    assert net.type.startswith("DECIMAL")
    assert set(found.roots("model.shop.m_9", "net_amount")) == {
        "source.shop.raw.raw_0.amount",
        "source.shop.raw.raw_0.discount",
    }


def test_a_chain_of_any_length_is_read_and_a_cycle_ends() -> None:
    found, artifacts = lineage(30)
    nodes = artifacts.manifest["nodes"]
    nodes["model.shop.m_1"]["depends_on"]["nodes"].append("model.shop.m_9")
    assert len(found.columns("model.shop.m_29")) == 5


def test_expressions_stay_short_in_a_deep_chain() -> None:
    ctes = ["c0 as (select x from a)"]
    ctes += [f"c{i} as (select x * x + x as x from c{i - 1})" for i in range(1, 40)]
    start = time.process_time()
    found = outputs(f"with {', '.join(ctes)} select x from c39")["x"]
    assert found.sources == ("a.x",)
    assert len(sql.to_sql(found.value, "duckdb")) < 3 * LONGEST
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("select x as v from a", {"a.x"}),
        ("select lower(x) || '!' as v from a", {"a.x"}),
        ("select cast(x as bigint) as v from a", {"a.x"}),
        ("select x is not null as v from a", set()),
        ("select count(distinct x) as v from a", set()),
        ("select length(x) as v from a", set()),
        ("select case when x like '%@b' then 'in' else 'out' end as v from a", set()),
        ("select case x when '1' then y end as v from a", {"a.y"}),
        ("select sum(case when x is null then 1 else 0 end) as v from a", set()),
        ("select row_number() over (partition by x) as v from a", set()),
        ("select first_value(x) over (order by y) as v from a", {"a.x"}),
        ("select x as v from a union all select z from b", {"a.x", "b.z"}),
        ("select {'m': x} as v from a", {"a.x"}),
        ("with c as (select x as p from a) select upper(p) as v from c", {"a.x"}),
    ],
)
def test_whose_values_an_output_may_show(code: str, expected: set[str]) -> None:
    assert set(carried(outputs(code)["v"])) == expected
