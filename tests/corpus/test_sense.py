"""What nobody would ask: groups of one row each, answers that repeat the question, and their like.

The club's docs test little; what a question would say shows in its data alone.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from functools import cache
from random import Random

from dbt_t2s.corpus.conditions import Conditions
from dbt_t2s.corpus.grains import grain_of, has_hours
from dbt_t2s.corpus.maker import Maker, _why_nothing
from dbt_t2s.corpus.measure_shapes import MeasureShapes
from dbt_t2s.corpus.row_shapes import RowShapes
from dbt_t2s.corpus.shapes import Draft, ShapeRoom, values_in
from dbt_t2s.corpus.value_conditions import say_value
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.duck import Rows
from dbt_t2s.project.schema import (
    Cardinality,
    Column,
    CompiledMetric,
    Join,
    Kind,
    Measure,
    Metric,
    MetricFilter,
    MetricInput,
    ProjectSchema,
    Role,
    Rule,
    Table,
)
from dbt_t2s.query.linear import from_tokens
from dbt_t2s.query.naming import tells_rows_apart
from dbt_t2s.query.plan import Agg, Col, Count, MetricRef, Order, Plan, Value
from tests.model.shop_schema import AS_OF, amount, category, day, key

NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Fay", "Gus", "Hal", "Ida", "Jon")
MEMBERS = Table(
    "dim_members",
    "club.main.dim_members",
    "model.club.dim_members",
    "",
    (
        replace(key("member_key", rows=20), distinct=20),
        replace(category("member_name", NAMES), distinct=10),
        replace(category("badge", tuple(f"b{n}" for n in range(18))), null_share=0.1),
        category("tier", ("gold", "silver", "new")),
        day("joined_on", "2024-01-01", "2025-12-01"),
    ),
    primary_key=("member_key",),
    entity="member",
    time_column="joined_on",
    rows=20,
)
BALANCES = Table(
    "fct_member_ltv",
    "club.main.fct_member_ltv",
    "model.club.fct_member_ltv",
    "",
    (
        replace(key("member_key", rows=20), distinct=20),
        amount("balance", "900"),
        day("last_visit_on", "2025-01-01", "2025-12-01"),
    ),
    primary_key=("member_key",),
    time_column="last_visit_on",
    rows=20,
)
VISITS = Table(
    "fct_visits",
    "club.main.fct_visits",
    "model.club.fct_visits",
    "",
    (
        replace(key("visit_id", rows=500), distinct=500),
        key("member_key", Role.FOREIGN_KEY),
        category("hall", ("north", "south")),
        amount("fee_total", "30"),
        day("visited_at", "2025-01-01 00:00:00", "2025-12-01 00:00:00", Kind.TIMESTAMP),
    ),
    primary_key=("visit_id",),
    entity="visit",
    time_column="visited_at",
    rows=500,
)
CLUB = ProjectSchema(
    "club",
    "duckdb",
    (MEMBERS, BALANCES, VISITS),
    joins=(
        Join(
            "fct_member_ltv",
            ("member_key",),
            "dim_members",
            ("member_key",),
            cardinality=Cardinality.ONE_TO_ONE,
        ),
        Join("fct_visits", ("member_key",), "dim_members", ("member_key",)),
    ),
    metrics=(
        Metric(
            "late_visits",
            "simple",
            label="Late visits",
            measure=Measure("late_visits", "fct_visits", "sum", "1", "visited_at"),
            tables=("fct_visits",),
            time_table="fct_visits",
            time_column="visited_at",
        ),
    ),
    as_of=AS_OF,
)
LATE = MetricRef("late_visits")
BADGE = Col("dim_members", "badge")
CONDITIONS = Conditions(Vocabulary(CLUB), date.fromisoformat(AS_OF))


def rooms(schema: ProjectSchema) -> tuple[MeasureShapes, RowShapes]:
    words = Vocabulary(schema)
    conditions = Conditions(words, date.fromisoformat(AS_OF))
    return MeasureShapes(words, conditions), RowShapes(words, conditions)


@cache
def drafts(name: str, seeds: int = 400) -> tuple[tuple[Draft, Plan], ...]:
    """What a shape draws of the club."""
    found = (getattr(room, name, None) for room in rooms(CLUB))
    shape = next(shape for shape in found if shape is not None)
    made = (shape(Random(seed)) for seed in range(seeds))
    return tuple((d, d.plan) for d in made if d is not None and d.plan is not None)


def test_columns_tell_rows_apart_by_a_test_or_by_the_data() -> None:
    unseen = Column("code", "VARCHAR", Kind.TEXT, Role.CATEGORY)
    assert not tells_rows_apart(MEMBERS, unseen), "nobody looked at the data"
    assert tells_rows_apart(MEMBERS, replace(unseen, unique=True))
    assert tells_rows_apart(MEMBERS, replace(unseen, distinct=9, null_share=0.5))
    assert not tells_rows_apart(MEMBERS, replace(unseen, distinct=9, null_share=0.4))
    accepted = replace(unseen, distinct=4, values=("a", "b", "c", "d", "e"))
    assert not tells_rows_apart(replace(MEMBERS, rows=4), accepted), "others will come"
    assert not tells_rows_apart(replace(MEMBERS, rows=3), replace(unseen, distinct=3))


def test_nothing_is_counted_or_averaged_for_each_row() -> None:
    """Nor for each row of a table of which the other has one row each."""
    own = {"dim_members", "fct_member_ltv"}
    for name in ("by_dimension", "top", "average_of_groups", "share", "top_per_group"):
        for draft, plan in drafts(name):
            for each in plan.select:
                counted = isinstance(each, Count) and each.table in own
                averaged = isinstance(each, Agg) and each.of.table in own
                if counted or averaged:
                    assert BADGE not in plan.select, draft.text
    visits = [p for _, p in drafts("by_dimension", 2000) if BADGE in p.select]
    assert visits, "visits of each badge are many"


def test_conditions_name_no_single_row_of_what_is_counted() -> None:
    for name in ("how_many", "aggregate", "rate", "listing", "whole_and_part"):
        for draft, plan in drafts(name):
            if BADGE in {c for p in plan.where for c in values_in(p)}:
                assert "fct_visits" in str(plan.select), draft.text
    room: ShapeRoom = rooms(CLUB)[0]
    pred = Value("dim_members", "badge", "b1")
    assert room.names_rows(pred, "fct_member_ltv")
    assert not room.names_rows(pred, "fct_visits")


def test_groups_that_are_all_alike_say_nothing() -> None:
    counted = from_tokens(("c:fct_visits.hall", "COUNT", "t:fct_visits", "END"))
    assert counted is not None

    def rows(*numbers: int) -> Rows:
        return Rows(("hall", "n"), (), tuple((f"h{at}", n) for at, n in enumerate(numbers)))

    assert "one row" in _why_nothing(rows(1, 1, 1), counted)
    assert _why_nothing(rows(1, 1), counted) == "", "by chance"
    assert _why_nothing(rows(7, 7, 7), counted) == ""
    ranked = replace(counted, order=Order(Count("fct_visits"), True), limit="3")
    assert "the same" in _why_nothing(rows(7, 7, 7), ranked)
    assert _why_nothing(rows(7, 7, 6), ranked) == ""


def test_a_ranking_within_groups_of_one_says_nothing() -> None:
    hall, tier = Col("fct_visits", "hall"), Col("dim_members", "tier")
    count = Count("fct_visits")
    plan = Plan((hall, tier, count), order=Order(count, True), limit="1", per=hall)

    def has_one_each(*rows: tuple[object, ...]) -> bool:
        today = date.fromisoformat(AS_OF)
        return Maker(CLUB, (), lambda _: Rows((), (), rows), today, 0)._has_one_each(plan, hall)

    assert has_one_each(("north", "gold", 3), ("south", "new", 4))
    assert not has_one_each(("north", "gold", 3), ("south", "new", 4), ("south", "gold", 1))


def test_what_is_counted_is_asked_for_by_how_many() -> None:
    for name in ("by_dimension", "total"):
        for draft, plan in drafts(name, 1500):
            asked = re.match(r"(?i)\W*(what|which)\b(.*)", draft.text)
            if asked and "have" in asked[2] and LATE in plan.select:
                assert re.search(r"number|count|#|no\. of|nr of|total", asked[2]), draft.text
    for draft, _ in drafts("total", 1500):
        shown = re.match(r"(?i)(what are|list|show me|give me) (the )?(late )?visits\b", draft.text)
        assert not shown, draft.text


def test_exactly_one_is_said_of_one() -> None:
    said = [CONDITIONS.many(MEMBERS, Random(seed)) for seed in range(900)]
    ones = [s for s in said if s and "EQ" in str(s.pred) and re.search(r"\b(1|one)\b", s.after)]
    assert ones and all("exactly one" in s.after for s in ones)
    assert not any(s.after.endswith("visits") for s in ones)


def test_rows_of_a_name_are_not_listed_by_it() -> None:
    named = Col("dim_members", "member_name")
    for name in ("listing", "two_columns", "ordered_list"):
        for draft, plan in drafts(name, 1500):
            if named in plan.select:
                assert named not in {c for p in plan.where for c in values_in(p)}, draft.text
    counted = [p for _, p in drafts("how_many", 1500) if "member_name" in str(p.where)]
    assert counted, "several members are called Ada"


def test_a_last_visit_dates_no_balance() -> None:
    words = Vocabulary(CLUB)
    assert [words.lasts(t) for t in CLUB.tables] == [True, True, False]
    undated = replace(BALANCES, time_column="", columns=BALANCES.columns[:2])
    beside = Vocabulary(replace(CLUB, tables=(MEMBERS, undated, VISITS)))
    assert beside.lasts(undated), "it has one row for each member"
    assert words.began(BALANCES) == ("whose last visit date was",)
    for name in ("over_time", "change"):
        assert not [d.text for d, p in drafts(name, 1500) if "balance" in str(p.select)]
    for draft, plan in drafts("aggregate", 1500):
        if "balance" in str(plan.select) and "During" in str(plan.where):
            assert re.search("(?i)last v|whose", draft.text), draft.text  # a typo or two


def _dates(first: str, last: str, distinct: int, kind: Kind = Kind.DATE) -> Column:
    return replace(day("billed_on", first, last, kind), distinct=distinct)


def test_dates_are_as_fine_as_the_data_shows() -> None:
    assert grain_of(_dates("2024-01-01", "2026-06-29", 129)) == "WEEK"
    assert grain_of(_dates("2024-01-01", "2026-06-01", 30)) == "MONTH"
    assert grain_of(_dates("2024-01-01", "2026-06-30", 300)) == "DAY", "every third day or so"
    assert grain_of(_dates("2024-01-01", "2026-06-30", 2)) == "DAY", "too few to tell"
    assert grain_of(day("billed_on", "2024-01-01", "2026-06-30")) == "DAY", "nobody looked"
    assert has_hours(_dates("2024-01-01 08:00:00", "2025-01-01 00:00:00", 90, Kind.TIMESTAMP))
    assert not has_hours(_dates("2024-01-01 00:00:00", "2025-01-01 00:00:00", 9, Kind.TIMESTAMP))
    assert not has_hours(_dates("2024-01-01", "2025-01-01", 9))


def test_nothing_is_asked_of_hours_and_days_that_no_date_has() -> None:
    assert not [d.text for d, p in drafts("part_of_time", 1500) if "HOUR" in str(p.select)]
    monthly = replace(VISITS.columns[-1], distinct=12)
    visits = replace(VISITS, columns=(*VISITS.columns[:-1], monthly))
    measures, rows = rooms(replace(CLUB, tables=(MEMBERS, BALANCES, visits)))
    for shape in (measures.over_time, measures.part_of_time, measures.average_of_groups):
        for draft in filter(None, (shape(Random(seed)) for seed in range(900))):
            finer = re.search(r"'(DAY|WEEK|DOW)'", str(draft.plan))
            assert not finer, draft.text
    for seed in range(900):
        said = rows.conditions.during(visits, Random(seed))
        assert said is None or "today" not in said.after


def test_a_value_before_a_noun_is_no_metric() -> None:
    new = Metric("new_members", "simple", label="New members", tables=("dim_members",))
    words = Vocabulary(replace(CLUB, metrics=(new,)))
    assert words.is_metric("new", MEMBERS) and not words.is_metric("gold", MEMBERS)
    conditions = Conditions(words, date.fromisoformat(AS_OF))
    for root in (MEMBERS, VISITS):
        said = [conditions.value(root, Random(seed)) for seed in range(900)]
        tiers = [s for s in said if s is not None and s.about == "dim_members.tier"]
        assert any("gold" in s.before or " gold members" in s.after for s in tiers)
        for each in tiers:
            assert each.before.lower() != "new" and "new members" not in each.after.lower()


def test_a_name_that_two_tables_know_is_not_said_of_the_other() -> None:
    status = category("member_status", ("active", "former"))
    visited = category("visit_status", ("done", "missed"))
    members = replace(MEMBERS, columns=(*MEMBERS.columns, status))
    visits = replace(VISITS, columns=(*VISITS.columns, visited))
    words = Vocabulary(replace(CLUB, tables=(members, visits)))
    theirs = next(d for d in words.dimensions("fct_visits") if d.column == status)
    said = {words.dimension_name(theirs, Random(seed)) for seed in range(300)}
    assert said and all("member" in name for name in said)


def test_another_word_for_a_sum_is_a_sum() -> None:
    revenue = replace(VISITS, name="fct_revenue", entity="")
    words = Vocabulary(replace(CLUB, tables=(revenue,), joins=(), metrics=()))
    nouns = {words.noun(revenue, Random(seed)) for seed in range(300)}
    assert len(nouns) > 1 and all(noun.endswith(" records") for noun in nouns)


def test_what_may_be_personal_is_neither_named_nor_grouped_by() -> None:
    phone = replace(category("phone", ("555-1111", "555-2222", "555-3333")), format="phone")

    def vocabulary(column: Column) -> Vocabulary:
        members = replace(MEMBERS, columns=(*MEMBERS.columns, column))
        return Vocabulary(replace(CLUB, tables=(members, BALANCES, VISITS)))

    unmarked = vocabulary(phone)
    assert phone.name not in {d.column.name for d in unmarked.dimensions("fct_visits")}
    assert unmarked.tables["dim_members"].column("phone").values == ()
    assert RowShapes(unmarked, CONDITIONS).shown(
        MEMBERS, unmarked.tables["dim_members"].columns[-1]
    )
    cleared = vocabulary(replace(phone, cleared=True))
    assert phone.name in {d.column.name for d in cleared.dimensions("fct_visits")}


def test_growth_by_month_is_not_told_by_year() -> None:
    lag = "select sum(1) from fct_visits where visited_at - {} = visited_at"
    for moved in ("INTERVAL 1 month", "INTERVAL '1' month", "DATEADD(month, -1, visited_at)"):
        compiled = tuple(
            CompiledMetric(f"metric_time__{g}", lag.format(moved), "growth", grain=g)
            for g in ("month", "quarter", "year")
        )
        growth = Metric("growth", "derived", label="Growth m/m", compiled=compiled)
        measures, _ = rooms(replace(CLUB, metrics=(growth,)))
        made = [measures.only_compiled(Random(seed)) for seed in range(60)]
        grains = {str(each.plan.select[0]) for each in made if each and each.plan}
        assert grains == {"Bucket(grain='MONTH', of=Time())"}


def test_a_time_is_not_compared_with_its_day() -> None:
    day_of = day("visited_on", "2025-01-01", "2025-12-01")
    visits = replace(VISITS, columns=(*VISITS.columns, day_of))
    said = [CONDITIONS.against(visits, Random(seed)) for seed in range(200)]
    assert not any(said)
    paid = day("paid_on", "2025-01-01", "2025-12-01")
    visits = replace(VISITS, columns=(*visits.columns, paid))
    assert any(CONDITIONS.against(visits, Random(seed)) for seed in range(200))


def test_the_end_of_a_name_is_said_where_it_is_a_name() -> None:
    def said(value: str) -> set[str]:
        return {say_value(Random(seed), value, "", (value,)).lower() for seed in range(300)}

    assert "altona" in said("Hamburg Altona") and "hamburg" not in said("Hamburg Altona")
    assert said("North America") == {"north america"}
    assert said("Los Angeles") == {"los angeles"}
    assert "home" not in said("out_of_home")


def test_a_kind_is_called_as_its_column_is() -> None:
    plan = category("plan_name", ("Basic", "Fernhill Plus"))
    visits = replace(VISITS, columns=(*VISITS.columns, plan))
    words = Vocabulary(replace(CLUB, tables=(MEMBERS, visits)))
    conditions = Conditions(words, date.fromisoformat(AS_OF))
    dim = next(d for d in words.dimensions("fct_visits") if d.column == plan)
    said = {conditions.value_phrase(dim, "Basic", Random(seed)) for seed in range(300)}
    assert "in the Basic plan" in said and "in the Basic name" not in said
    assert "Basic only" in said
    numbered = {conditions.value_phrase(dim, "555-8888", Random(seed)) for seed in range(300)}
    assert "555-8888 only" not in numbered


def test_the_id_of_a_row_is_what_its_key_is_a_hash_of() -> None:
    number = Column("member_id", "VARCHAR", Kind.TEXT, Role.FOREIGN_KEY, distinct=20)
    members = replace(MEMBERS, columns=(MEMBERS.columns[0], *MEMBERS.columns[2:], number))
    balances = replace(BALANCES, columns=(*BALANCES.columns, number))
    _, rows = rooms(replace(CLUB, tables=(members, balances, VISITS)))
    named = [rows.named(Random(seed)) for seed in range(90)]
    assert {c.name for t, c in filter(None, named) if t == balances} == {"member_id"}
    assert {c.name for t, c in filter(None, named) if t == members} == {"member_id"}
    assert {c.name for t, c in filter(None, named) if t == VISITS} == {"visit_id"}


def test_a_share_says_of_what() -> None:
    for draft, plan in drafts("rate", 1500):
        if plan.where:
            assert re.search(r"(?i)\b(ar?e|were|rate|that)\b", draft.text), draft.text
            assert not re.search(r"(?i)(share|part|percentage) of (gold|silver) ", draft.text)


def test_a_column_passed_on_is_said_of_one_table() -> None:
    tier = replace(MEMBERS.column("tier"), sources=("model.club.dim_members.tier",))
    visits = replace(VISITS, columns=(*VISITS.columns, tier))
    words = Vocabulary(replace(CLUB, tables=(MEMBERS, visits)))
    found = [d for d in words.dimensions("fct_visits") if d.column.name == "tier"]
    assert [d.own for d in found] == [True]
    above = replace(tier, sources=("model.club.stg_members.tier",))
    members = replace(MEMBERS, columns=(*(c for c in MEMBERS.columns if c.name != "tier"), above))
    both = replace(visits, columns=(*VISITS.columns, above))
    beside = Vocabulary(replace(CLUB, tables=(members, both)))
    assert sum(d.column.name == "tier" for d in beside.dimensions("fct_visits")) == 1
    made = replace(visits, columns=(*VISITS.columns, replace(tier, expression="upper(tier)")))
    other = Vocabulary(replace(CLUB, tables=(MEMBERS, made)))
    assert sum(d.column.name == "tier" for d in other.dimensions("fct_visits")) == 2


def test_the_first_of_rows_that_last_has_no_date() -> None:
    for draft, plan in drafts("first_or_last", 900):
        if "last_visit_on" in str(plan.select):
            assert not re.search(r"(?i)date of the \w+ member ltv", draft.text), draft.text


def test_the_end_of_a_name_is_one_of_all_names() -> None:
    names = ("Alicia Finley", "Jon Berg", "Eve Berg")

    def said(value: str, others: tuple[str, ...]) -> set[str]:
        return {say_value(Random(seed), value, "", others).lower() for seed in range(300)}

    assert "finley" in said("Alicia Finley", names)
    assert "berg" not in said("Jon Berg", names)
    assert "finley" not in said("Alicia Finley", ()), "there may be other Finleys"


def test_what_a_metric_settles_is_asked_no_more() -> None:
    tables = ("fct_visits",)
    gold = Measure("gold", *tables, "sum", "case when is_gold then fee_total end", "visited_at")
    north = MetricFilter("fct_visits.hall = 'north'", tables)
    fees = Measure("fees", *tables, "sum", "fee_total", "visited_at")
    both = (MetricInput("gold_fees", "gold_fees"), MetricInput("fees", "fees"))
    metrics = (
        Metric("gold_fees", "simple", measure=gold, tables=tables),
        Metric("fees", "simple", measure=fees, filters=(north,), tables=tables),
        Metric("share", "ratio", expression="gold_fees / fees", inputs=both, tables=tables),
    )
    is_gold = Column("is_gold", "BOOLEAN", Kind.BOOLEAN, Role.FLAG)
    visits = replace(VISITS, columns=(*VISITS.columns, is_gold))
    words = Vocabulary(replace(CLUB, tables=(MEMBERS, BALANCES, visits), metrics=metrics))
    assert words.settled(metrics[0]) == ("fct_visits.is_gold",)
    assert words.settled(metrics[2]) == ("fct_visits.hall", "fct_visits.is_gold")


def test_a_value_after_by_would_be_a_group() -> None:
    channel = category("visit_channel", ("web", "store"))
    visits = replace(VISITS, columns=(*VISITS.columns, channel))
    words = Vocabulary(replace(CLUB, tables=(MEMBERS, visits)))
    conditions = Conditions(words, date.fromisoformat(AS_OF))
    dim = next(d for d in words.dimensions("fct_visits") if d.column == channel)
    said = {conditions.value_phrase(dim, "store", Random(seed)) for seed in range(300)}
    assert "via store" in said and "by store" not in said


def test_rows_are_not_told_by_themselves() -> None:
    """No "members with visits of gold members", no "members called Ada with most visits"."""
    for draft, plan in drafts("related", 1500):
        if "'dim_members'" in str(plan.select):
            assert "Value(table='dim_members'" not in str(plan.where), draft.text
    named = Col("dim_members", "member_name")
    for draft, plan in drafts("busy", 1500):
        assert named not in {c for p in plan.where for c in values_in(p)}, draft.text


def test_what_a_rule_settles_is_not_counted() -> None:
    north = Rule(
        "north", "Only the north hall counts.", "fct_visits", "hall = 'north'", always=True
    )
    other = category("visit_channel", ("web", "store"))
    visits = replace(VISITS, columns=(*VISITS.columns, other))
    measures, _ = rooms(replace(CLUB, tables=(MEMBERS, visits), rules=(north,)))
    made = [measures.distinct(Random(seed)) for seed in range(300)]
    counted = {each.plan.select[0] for each in made if each and each.plan}
    assert Agg("COUNT_DISTINCT", Col("fct_visits", "visit_channel")) in counted
    assert Agg("COUNT_DISTINCT", Col("fct_visits", "hall")) not in counted


def test_no_hashes_are_sorted_by_their_letters() -> None:
    hashed = replace(MEMBERS.columns[0], kind=Kind.TEXT)
    balances = replace(BALANCES, columns=(hashed, *BALANCES.columns[1:]))
    _, rows = rooms(replace(CLUB, tables=(balances,), joins=(), metrics=()))
    made = [rows.ordered_list(Random(seed)) for seed in range(200)]
    assert any(made) and not [d.text for d in made if d and re.search("alphabet|to z", d.text)]
