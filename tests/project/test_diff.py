"""Changes between two schemas: each edit gives its code, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_t2s.project.diff import CODES, Weight, changes
from dbt_t2s.project.renames import respelled_columns
from dbt_t2s.project.schema import (
    Column,
    Join,
    Kind,
    ProjectSchema,
    Role,
    RuleKind,
    SavedQuery,
    Table,
)
from tests.model.shop_schema import shop_schema

Edit = Callable[[ProjectSchema], ProjectSchema]


def of_table(name: str, edit: Callable[[Table], Table]) -> Edit:
    return lambda schema: replace(
        schema, tables=tuple(edit(t) if t.name == name else t for t in schema.tables)
    )


def of_column(table: str, column: str, /, **values: object) -> Edit:
    def edit(found: Table) -> Table:
        columns = (replace(c, **values) if c.name == column else c for c in found.columns)  # type: ignore[arg-type]
        return replace(found, columns=tuple(columns))

    return of_table(table, edit)


def without_column(table: str, name: str) -> Edit:
    return of_table(
        table, lambda t: replace(t, columns=tuple(c for c in t.columns if c.name != name))
    )


def with_column(table: str, column: Column) -> Edit:
    return of_table(table, lambda t: replace(t, columns=(*t.columns, column)))


def of_metric(name: str, **values: object) -> Edit:
    return lambda schema: replace(
        schema,
        metrics=tuple(replace(m, **values) if m.name == name else m for m in schema.metrics),  # type: ignore[arg-type]
    )


def of_rules(edit: Callable[[ProjectSchema], tuple[object, ...]]) -> Edit:
    return lambda schema: replace(schema, rules=edit(schema))  # type: ignore[arg-type]


SHOP = shop_schema()
RULE = SHOP.rules[0]
METRIC = next(m for m in SHOP.metrics if m.measure is not None)
SAVED = SavedQuery("by_month", "", "", (METRIC.name,), ("metric_time__month",), ())
NOTE = Column("gift_note", "VARCHAR", Kind.TEXT, Role.TEXT)

EDITS: dict[str, Edit] = {
    "T2S101": lambda s: replace(s, tables=tuple(t for t in s.tables if t.name != "products"),
                                joins=tuple(j for j in s.joins if j.to_table != "products")),
    "T2S103": lambda s: replace(
        of_table("products", lambda t: replace(t, name="articles"))(s),
        joins=tuple(replace(j, to_table="articles") if j.to_table == "products" else j
                    for j in s.joins)),
    "T2S104": of_table("products", lambda t: replace(t, primary_key=("product_id", "category"))),
    "T2S201": without_column("orders", "channel"),
    "T2S202": with_column("orders", NOTE),
    "T2S203": of_column("orders", "channel", name="sales_channel"),
    "T2S204": of_column("orders", "quantity", kind=Kind.TEXT, type="VARCHAR"),
    "T2S205": of_column("orders", "quantity", type="HUGEINT"),
    "T2S301": lambda s: replace(s, joins=s.joins[:1]),
    "T2S401": of_column("products", "product_id", unique=False),
    "T2S402": of_column("products", "product_name", unique=True),
    "T2S403": of_column("orders", "status", values=("delivered", "returned")),
    "T2S404": of_column("orders", "status", values=("delivered", "returned", "cancelled", "lost")),
    "T2S501": lambda s: replace(s, metrics=tuple(m for m in s.metrics if m != METRIC)),
    "T2S503": of_metric(METRIC.name, filters=()) if METRIC.filters else of_metric(
        METRIC.name, measure=replace(METRIC.measure, aggregation="max")),  # type: ignore[type-var]
    "T2S601": of_rules(lambda s: s.rules[1:]),
    "T2S603": of_rules(lambda s: (replace(RULE, predicate="1 = 1"), *s.rules[1:])),
    "T2S701": of_table("orders", lambda t: replace(t, description="")),
    "T2S702": of_column("orders", "channel", description="Where it was ordered."),
    "T2S703": of_table("customers", lambda t: replace(t, description="Everybody who bought.")),
    "T2S704": of_column("customers", "country", synonyms=()),
    "T2S705": of_column("orders", "channel", synonyms=("route",)),
    "T2S801": lambda s: replace(s, saved_queries=()),
}  # fmt: skip
BEFORE = replace(SHOP, saved_queries=(SAVED,))


def codes(before: ProjectSchema, after: ProjectSchema) -> list[str]:
    return [change.code for change in changes(before, after)]


def test_nothing_changes_by_itself() -> None:
    assert changes(BEFORE, shop_schema_with_saved()) == ()


def shop_schema_with_saved() -> ProjectSchema:
    return replace(shop_schema(), saved_queries=(SAVED,))


@pytest.mark.parametrize("code", sorted(EDITS))
def test_an_edit_gives_its_code(code: str) -> None:
    assert set(codes(BEFORE, EDITS[code](BEFORE))) == {code}


@pytest.mark.parametrize(
    ("code", "back"),
    [("T2S101", "T2S102"), ("T2S201", "T2S202"), ("T2S301", "T2S302"), ("T2S501", "T2S502"),
     ("T2S601", "T2S602")],
)  # fmt: skip
def test_the_way_back_is_an_addition(code: str, back: str) -> None:
    assert set(codes(EDITS[code](BEFORE), BEFORE)) == {back}


def test_every_code_has_an_edit() -> None:
    of_rows = "T2S105"  # what no schema tells
    assert {*EDITS, of_rows, "T2S102", "T2S302", "T2S502", "T2S602"} == set(CODES)


@given(st.sets(st.sampled_from(["T2S104", "T2S205", "T2S403", "T2S601", "T2S702", "T2S801"])))
def test_edits_of_different_things_add_up(chosen: set[str]) -> None:
    after = BEFORE
    for code in sorted(chosen):
        after = EDITS[code](after)
    found = changes(BEFORE, after)
    assert {each.code for each in found} == chosen
    weights = [list(Weight).index(each.weight) for each in found]
    assert weights == sorted(weights)


def test_a_rename_is_told_from_a_drop_by_values_and_by_lineage() -> None:
    other = of_column("orders", "channel", name="route")(BEFORE)  # the same values
    assert codes(BEFORE, other) == ["T2S203"]
    strange = of_column("orders", "channel", name="weather", values=("sun", "rain"))(BEFORE)
    assert codes(BEFORE, strange) == ["T2S201", "T2S202"]
    alone = replace(BEFORE, metrics=(), rules=())
    sourced = of_column("orders", "quantity", sources=("model.shop.raw.qty",))(alone)
    renamed = of_column("orders", "quantity", name="pieces")(sourced)
    assert codes(sourced, renamed) == ["T2S203"]


def test_a_rule_that_still_has_a_renamed_column_s_old_name_says_something_else() -> None:
    alone = replace(BEFORE, metrics=())
    named = [rule for rule in alone.rules if "quantity" in rule.predicate]
    sourced = of_column("orders", "quantity", sources=("model.shop.raw.qty",))(alone)
    renamed = of_column("orders", "quantity", name="pieces")(sourced)
    assert codes(sourced, renamed) == ["T2S203", *("T2S603" for _ in named)]
    rules = tuple(
        replace(rule, predicate=rule.predicate.replace("quantity", "pieces"))
        for rule in renamed.rules
    )
    assert codes(sourced, replace(renamed, rules=rules)) == ["T2S203"]


def test_joins_over_a_renamed_key_are_the_same_joins() -> None:
    renamed = of_column("customers", "customer_id", name="client_id")(BEFORE)
    renamed = of_table("customers", lambda t: replace(t, primary_key=("client_id",)))(renamed)
    joins = tuple(
        replace(j, to_columns=("client_id",)) if j.to_table == "customers" else j
        for j in renamed.joins
    )
    assert codes(BEFORE, replace(renamed, joins=joins)) == ["T2S203"]


def test_metrics_and_rules_of_a_renamed_table_are_the_same() -> None:
    def edit(schema: ProjectSchema) -> ProjectSchema:
        def now(name: str) -> str:
            return "purchases" if name == "orders" else name

        return replace(
            schema,
            tables=tuple(replace(t, name=now(t.name)) for t in schema.tables),
            joins=tuple(
                replace(j, table=now(j.table), to_table=now(j.to_table)) for j in schema.joins
            ),
            rules=tuple(replace(r, table=now(r.table)) for r in schema.rules),
            metrics=tuple(
                replace(
                    m,
                    measure=m.measure and replace(m.measure, table=now(m.measure.table)),
                    filters=tuple(
                        replace(f, predicate=f.predicate.replace("orders.", "purchases."))
                        for f in m.filters
                    ),
                )
                for m in schema.metrics
            ),
        )

    assert codes(BEFORE, edit(BEFORE)) == ["T2S103"]


def test_a_metric_means_what_the_metrics_mean_that_it_is_made_of() -> None:
    made = replace(METRIC.measure, aggregation="max")  # type: ignore[type-var]
    found = changes(BEFORE, of_metric(METRIC.name, measure=made)(BEFORE))
    inside = [m.name for m in SHOP.metrics if METRIC.name in {i.metric for i in m.inputs}]
    assert inside
    assert {c.what for c in found if c.code == "T2S503"} == {METRIC.name, *inside}
    assert all(f"as {METRIC.name} does" in c.message for c in found if c.what in inside)


def test_rules_go_with_their_tables_and_leave_others_their_names() -> None:
    """Of two tables' rules of one name, one is called after its table while the other is there."""
    shared = replace(RULE, table="products", name=RULE.name, predicate="category = 'tents'")
    apart = replace(RULE, name=f"{RULE.name}_{RULE.table}")
    both = replace(BEFORE, rules=(shared, apart, *BEFORE.rules[1:]))
    gone = replace(EDITS["T2S101"](both), rules=BEFORE.rules)
    assert codes(both, gone) == ["T2S101"]
    assert codes(gone, both) == ["T2S102"]
    changed = replace(gone, rules=(replace(RULE, predicate="1 = 1"), *BEFORE.rules[1:]))
    assert codes(both, changed) == ["T2S101", "T2S603"]


def test_what_was_mined_comes_and_goes() -> None:
    mined = replace(RULE, name="found", kind=RuleKind.BUCKET)
    unproven = Join("orders", ("status",), "customers", ("segment",), proven=False)
    after = replace(BEFORE, rules=(*BEFORE.rules, mined), joins=(*BEFORE.joins, unproven))
    assert changes(BEFORE, after) == ()


def made_from(rows: int | None, *columns: str) -> Edit:
    """Products whose key is put together from columns of another model."""
    sources = tuple(f"model.shop.raw.{each}" for each in columns)
    keyed = of_column("products", "product_id", sources=sources, expression="a || b")
    return lambda schema: of_table("products", lambda t: replace(t, rows=rows))(keyed(schema))


@pytest.mark.parametrize(
    ("rows", "columns", "found"),
    [
        (80, ("sku", "country"), ["T2S104"]),
        (10, (), []),  # nothing is known of where the key comes from
        (40, ("sku", "country"), []),  # as many rows: what was added to the key tells none apart
        (80, ("sku",), []),
        (80, ("article",), []),  # one column still, under another name above
    ],
)
def test_a_key_made_of_more_columns_is_another_grain(
    rows: int, columns: tuple[str, ...], found: list[str]
) -> None:
    assert codes(made_from(40, "sku")(BEFORE), made_from(rows, *columns)(BEFORE)) == found


def test_a_lost_proof_of_a_key_is_no_other_grain() -> None:
    def unproven(distinct: int | None) -> ProjectSchema:
        lost = of_column("products", "product_id", unique=False, distinct=distinct)(BEFORE)
        return of_table("products", lambda t: replace(t, primary_key=(), rows=40))(lost)

    assert codes(BEFORE, unproven(None)) == ["T2S401"]
    assert codes(BEFORE, unproven(40)) == ["T2S401"]
    assert codes(BEFORE, unproven(39)) == ["T2S104", "T2S401"]


def test_a_lost_proof_of_a_key_of_two_columns_is_told_by_its_table() -> None:
    two = of_table("products", lambda t: replace(t, primary_key=("product_id", "category")))
    none = of_table("products", lambda t: replace(t, primary_key=()))
    (change,) = changes(two(BEFORE), none(BEFORE))
    assert (change.code, change.what) == ("T2S401", "products")


def test_a_test_that_is_gone_is_told_though_the_key_is_still_claimed() -> None:
    tested = of_column("products", "product_id", checked=("unique", "not_null"))(BEFORE)
    claimed = of_column("products", "product_id", checked=("not_null",))(BEFORE)
    assert tested.table("products").column("product_id").unique
    (lost,) = changes(tested, claimed)
    assert (lost.code, lost.what, lost.before) == ("T2S401", "products.product_id", "unique")
    (gained,) = changes(claimed, tested)
    assert (gained.code, gained.after) == ("T2S402", "unique")


def test_the_words_of_a_semantic_model_do_not_stand_for_a_lost_description() -> None:
    def described(words: str, origin: str) -> ProjectSchema:
        return of_table(
            "orders", lambda t: replace(t, description=words, description_origin=origin)
        )(BEFORE)

    own, borrowed = described("One row an order.", "node"), described("Orders.", "semantic model")
    (lost,) = changes(own, borrowed)
    assert (lost.code, lost.what, lost.after) == ("T2S701", "orders", "Orders.")
    assert codes(borrowed, described("Each order.", "semantic model")) == ["T2S703"]
    assert codes(borrowed, own) == ["T2S703"]


@pytest.mark.parametrize(("dialect", "found"), [("duckdb", []), ("snowflake", ["T2S203"])])
def test_capitals_matter_where_the_warehouse_minds_them(dialect: str, found: list[str]) -> None:
    alone = replace(BEFORE, metrics=(), rules=(), dialect=dialect)
    loud = of_column("orders", "channel", name="CHANNEL")(alone)
    assert codes(alone, loud) == found
    assert respelled_columns(alone, loud) == ({} if found else {("orders", "channel"): "CHANNEL"})
    assert respelled_columns(alone, alone) == {}


def test_a_change_names_the_file_of_its_table() -> None:
    change = changes(BEFORE, EDITS["T2S201"](BEFORE))[0]
    assert change.path == "models/orders.sql"
    assert change.what == "orders.channel"
