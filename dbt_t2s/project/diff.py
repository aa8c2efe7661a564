"""What changed between two schemas of one project, and how much it matters to its questions.

Each change has a code that settings can switch off:

    T2S101 table gone           T2S102 table new            T2S103 table renamed
    T2S104 grain changed        T2S105 other rows           T2S201 column gone
    T2S202 column new           T2S203 column renamed       T2S204 kind changed
    T2S205 type changed
    T2S301 join gone            T2S302 join new             T2S401 test gone
    T2S402 test new             T2S403 value gone           T2S404 value new
    T2S501 metric gone          T2S502 metric new           T2S503 metric means something else
    T2S601 rule gone            T2S602 rule new             T2S603 rule means something else
    T2S701 description gone     T2S702 description new      T2S703 description changed
    T2S704 synonym gone         T2S705 synonym new          T2S801 saved query gone or changed
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from dbt_t2s.project.renames import Renames, is_respelled, renamed_columns, renamed_tables
from dbt_t2s.project.schema import (
    Column,
    Join,
    Metric,
    ProjectSchema,
    Rule,
    RuleKind,
    SavedQuery,
    Table,
)
from dbt_t2s.project.senses import Senses


class Weight(StrEnum):
    """How a change bears on questions: it breaks them, makes them worse or better, or neither."""

    BREAKING = "breaking"
    DEGRADING = "degrading"
    IMPROVING = "improving"
    NEUTRAL = "neutral"


CODES: Mapping[str, Weight] = {
    "T2S101": Weight.BREAKING,
    "T2S102": Weight.NEUTRAL,
    "T2S103": Weight.BREAKING,
    "T2S104": Weight.BREAKING,
    "T2S105": Weight.DEGRADING,
    "T2S201": Weight.BREAKING,
    "T2S202": Weight.NEUTRAL,
    "T2S203": Weight.BREAKING,
    "T2S204": Weight.BREAKING,
    "T2S205": Weight.NEUTRAL,
    "T2S301": Weight.BREAKING,
    "T2S302": Weight.IMPROVING,
    "T2S401": Weight.DEGRADING,
    "T2S402": Weight.IMPROVING,
    "T2S403": Weight.DEGRADING,
    "T2S404": Weight.NEUTRAL,
    "T2S501": Weight.BREAKING,
    "T2S502": Weight.NEUTRAL,
    "T2S503": Weight.BREAKING,
    "T2S601": Weight.BREAKING,
    "T2S602": Weight.NEUTRAL,
    "T2S603": Weight.BREAKING,
    "T2S701": Weight.DEGRADING,
    "T2S702": Weight.IMPROVING,
    "T2S703": Weight.NEUTRAL,
    "T2S704": Weight.DEGRADING,
    "T2S705": Weight.IMPROVING,
    "T2S801": Weight.DEGRADING,
}


@dataclass(frozen=True)
class Change:
    """One difference: ``what`` (``orders.status``), ``before`` and ``after`` as evidence."""

    code: str
    what: str
    message: str
    before: str = ""
    after: str = ""
    path: str = ""

    @property
    def weight(self) -> Weight:
        return CODES[self.code]


def changes(before: ProjectSchema, after: ProjectSchema) -> tuple[Change, ...]:
    """Every change, the weightiest first, then in the order of codes and names."""
    renames = renamed_tables(before.tables, after.tables)
    old = tuple(_under(table, renames.get(table.name, table.name)) for table in before.tables)
    paths = {table.name: table.path for table in (*old, *after.tables)}
    tables = list(_tables(before, after, renames))
    kept = {table.name for table in old} & {table.name for table in after.tables}
    columns = {
        name: renamed_columns(_named(old)[name].columns, _named(after.tables)[name].columns)
        for name in sorted(kept)
    }
    found = [*tables]
    for name in sorted(kept):
        one, other = _named(old)[name], _named(after.tables)[name]
        found += _of_table(one, other, columns[name], after.dialect)
    names = Renames(renames, columns)
    found += _joins(before, after, names, kept)
    found += _metrics(Senses(before, names), Senses(after))
    found += _rules(Senses(before, names), Senses(after), kept)
    found += _saved(before.saved_queries, after.saved_queries)
    return by_weight(
        each if each.path else replace(each, path=paths.get(each.what.partition(".")[0], ""))
        for each in found
    )


def by_weight(found: Iterable[Change]) -> tuple[Change, ...]:
    """The weightiest first, then in the order of codes and names."""
    order = list(Weight)
    return tuple(sorted(found, key=lambda each: (order.index(each.weight), each.code, each.what)))


_Named = TypeVar("_Named", Table, Column, Metric)


def _named(things: Sequence[_Named]) -> dict[str, _Named]:
    return {each.name: each for each in things}


def _under(table: Table, name: str) -> Table:
    return table if table.name == name else replace(table, name=name)


def _tables(
    before: ProjectSchema, after: ProjectSchema, renames: Mapping[str, str]
) -> Iterator[Change]:
    old, new = _named(before.tables), _named(after.tables)
    for name, now in sorted(renames.items()):
        said = f"{name} is called {now} now"
        yield Change("T2S103", name, said, name, now, new[now].path)
    for name in sorted(old.keys() - new.keys() - renames.keys()):
        yield Change("T2S101", name, f"the table {name} is gone", old[name].relation)
    for name in sorted(new.keys() - old.keys() - set(renames.values())):
        said = f"{name} is new: nobody can ask about it before the next training"
        yield Change("T2S102", name, said, "", new[name].relation)


def _of_table(old: Table, new: Table, renames: Mapping[str, str], dialect: str) -> Iterator[Change]:
    name = new.name
    yield from _grain(old, new, renames)
    yield from _described(name, old, new)
    before, after = _named(old.columns), _named(new.columns)
    for column, now in sorted(renames.items()):
        if not is_respelled(column, now, dialect):
            said = f"{name}.{column} is called {now} now"
            yield Change("T2S203", f"{name}.{column}", said, column, now)
    for column in sorted(before.keys() - after.keys() - renames.keys()):
        said = f"{name}.{column} is gone"
        yield Change("T2S201", f"{name}.{column}", said, before[column].type)
    for column in sorted(after.keys() - before.keys() - set(renames.values())):
        said = f"{name}.{column} is new: nobody can ask about it before the next training"
        yield Change("T2S202", f"{name}.{column}", said, "", after[column].type)
    for column in sorted(before):
        now = renames.get(column, column)
        if now in after:
            yield from _of_column(f"{name}.{now}", before[column], after[now])


def _grain(old: Table, new: Table, renames: Mapping[str, str]) -> Iterator[Change]:
    """Another key, or the same one made of more or fewer columns."""
    keys = tuple(renames.get(key, key) for key in old.primary_key)
    if not keys:
        return
    said = f"a row of {new.name} is another thing now"
    if not new.primary_key and _may_still_be_key(keys, new):
        if len(keys) > 1:  # of one column its own tests tell it
            lost = f"nothing proves any more that {', '.join(keys)} tell the rows apart"
            yield Change("T2S401", new.name, lost, ", ".join(keys))
        return
    if keys != new.primary_key:
        yield Change(
            "T2S104", new.name, said, ", ".join(old.primary_key), ", ".join(new.primary_key)
        )
    elif len(keys) == 1 and old.rows != new.rows:
        was, now = (_made_from(t, t.primary_key[0]) for t in (old, new))
        if was and now and len(was) != len(now):
            yield Change("T2S104", new.name, said, ", ".join(was), ", ".join(now))


def _may_still_be_key(keys: Sequence[str], table: Table) -> bool:
    """Whether these columns are there still, and no row is known to repeat them."""
    columns = _named(table.columns)
    if not set(keys) <= columns.keys():
        return False
    if len(keys) > 1:
        return True
    distinct = columns[keys[0]].distinct
    return distinct is None or table.rows is None or distinct >= table.rows


def _made_from(table: Table, key: str) -> tuple[str, ...]:
    """The names of the columns that a key is put together from."""
    return tuple(sorted({each.rpartition(".")[2] for each in table.column(key).sources}))


def _of_column(what: str, old: Column, new: Column) -> Iterator[Change]:
    if old.kind is not new.kind:
        said = f"{what} holds {new.kind.value}s now, before {old.kind.value}s"
        yield Change("T2S204", what, said, old.type, new.type)
    elif old.type.lower() != new.type.lower() and old.type and new.type:
        yield Change("T2S205", what, f"{what} has another type", old.type, new.type)
    yield from _proofs(what, old, new)
    yield from _values(what, old, new)
    yield from _described(what, old, new)


def _proofs(what: str, old: Column, new: Column) -> Iterator[Change]:
    """What is proven of a column, or checked by a test: a key may be claimed without one."""
    claims = (
        ("unique", "unique", old.unique, new.unique),
        ("not_null", "not null", not old.nullable, not new.nullable),
    )
    for test, claim, was, now in claims:
        lost = test in old.checked and test not in new.checked
        gained = test in new.checked and test not in old.checked
        if was and not now:
            yield Change("T2S401", what, f"nothing proves any more that {what} is {claim}", claim)
        elif was and lost:
            yield Change("T2S401", what, f"no test checks any more that {what} is {claim}", claim)
        elif now and (gained or not was):
            yield Change("T2S402", what, f"{what} is proven to be {claim}", "", claim)


def _values(what: str, old: Column, new: Column) -> Iterator[Change]:
    """Only where both are all there is: of frequent values any may come and go."""
    if not (old.values_complete and new.values_complete):
        return
    gone = [value for value in old.values if value not in new.values]
    come = [value for value in new.values if value not in old.values]
    if gone:
        shown = ", ".join(gone[:5])
        yield Change("T2S403", what, f"{what} can no longer be {shown}", shown)
    if come:
        shown = ", ".join(come[:5])
        yield Change("T2S404", what, f"{what} can be {shown} now", "", shown)


def _described(
    what: str, old: Table | Column | Metric, new: Table | Column | Metric
) -> Iterator[Change]:
    was, now = old.description.strip(), new.description.strip()
    if was and not now:
        yield Change("T2S701", what, f"{what} has lost its description", was[:200])
    elif _is_borrowed(new) and not _is_borrowed(old) and was:
        said = f"{what} has lost its description: its semantic model's takes its place"
        yield Change("T2S701", what, said, was[:200], now[:200])
    elif now and not was:
        yield Change("T2S702", what, f"{what} has a description now", "", now[:200])
    elif was != now:
        yield Change("T2S703", what, f"{what} is described otherwise", was[:200], now[:200])
    for code, words, verb in (
        ("T2S704", [s for s in old.synonyms if s not in new.synonyms], "is no longer called"),
        ("T2S705", [s for s in new.synonyms if s not in old.synonyms], "is called"),
    ):
        if words:
            yield Change(code, what, f"{what} {verb} {', '.join(words)}", ", ".join(words))


def _is_borrowed(described: Table | Column | Metric) -> bool:
    return not isinstance(described, Metric) and described.description_origin == "semantic model"


def _joins(
    before: ProjectSchema,
    after: ProjectSchema,
    names: Renames,
    kept: set[str],
) -> Iterator[Change]:
    """Joins between tables that are still there; those of others go with their tables."""

    def name(join: Join, names: Renames) -> tuple[str, ...]:
        ends = []
        for table, own in ((join.table, join.columns), (join.to_table, join.to_columns)):
            ends += [names.table(table), ", ".join(names.column(table, each) for each in own)]
        return tuple(ends)

    old = {name(join, names) for join in before.joins if join.proven}
    new = {name(join, Renames()) for join in after.joins if join.proven}
    for code, found, said in (
        ("T2S301", old - new, "nothing proves any more that {} points at {}"),
        ("T2S302", new - old, "{} is proven to point at {}"),
    ):
        for one, own, other, to in sorted(found):
            if {one, other} <= kept:
                ends = f"{one}.{own}", f"{other}.{to}"
                yield Change(code, f"{one}.{own}", said.format(*ends), *ends)


def _metrics(before: Senses, after: Senses) -> Iterator[Change]:
    old, new = _named(before.schema.metrics), _named(after.schema.metrics)
    for name in sorted(old.keys() - new.keys()):
        yield Change("T2S501", name, f"the metric {name} is gone", _meaning(old[name]))
    for name in sorted(new.keys() - old.keys()):
        said = f"the metric {name} is new: nobody can ask for it before the next training"
        yield Change("T2S502", name, said, "", _meaning(new[name]))
    kept = sorted(old.keys() & new.keys())
    own = {n for n in kept if before.of_metric(old[n]) != after.of_metric(new[n])}
    for name in kept:
        was, now = _meaning(old[name]), _meaning(new[name])
        if name in own:
            said = f"the metric {name} has its name and means something else"
            yield Change("T2S503", name, said, was, now)
        elif made_of := sorted(_made_of(name, new) & own):
            said = f"the metric {name} means something else, as {', '.join(made_of)} does"
            yield Change("T2S503", name, said, was, now)
        yield from _described(name, old[name], new[name])


def _made_of(name: str, metrics: Mapping[str, Metric]) -> set[str]:
    """The metrics that a metric is made of, at any depth."""
    found: set[str] = set()
    pending = [name]
    while pending:
        metric = metrics.get(pending.pop())
        inputs = {each.metric for each in metric.inputs} - found if metric else set()
        found |= inputs
        pending += inputs
    return found


def _meaning(metric: Metric) -> str:
    """What a metric calculates, in one line."""
    made = metric.measure
    parts = [metric.type]
    if made is not None:
        parts.append(f"{made.aggregation}({made.table}.{made.expression}) by {made.time_column}")
    if metric.expression:
        parts.append(metric.expression)
    for each in metric.inputs:
        filters = " and ".join(found.predicate for found in each.filters)
        parts.append(f"{each.alias} = {each.metric}{f' where {filters}' if filters else ''}")
    if metric.filters:
        parts.append("where " + " and ".join(sorted(each.predicate for each in metric.filters)))
    if made is None and not metric.expression and metric.compiled:
        parts.append(metric.compiled[0].sql)
    return "; ".join(parts)


def _rules(before: Senses, after: Senses, kept: set[str]) -> Iterator[Change]:
    """Of rules that people named: those that were mined come and go with what dbt has compiled.

    Those of other tables than ``kept`` come and go with their tables.
    """
    old, new = (_rules_by_name(each, kept) for each in (before, after))
    for key in sorted(old.keys() - new.keys()):
        said = f"the rule {key[1]} of {key[0]} is gone"
        yield Change("T2S601", f"{key[0]}.{key[1]}", said, old[key].predicate)
    for key in sorted(new.keys() - old.keys()):
        said = f"{key[0]} has the rule {key[1]}"
        yield Change("T2S602", f"{key[0]}.{key[1]}", said, "", new[key].predicate)
    for key in sorted(old.keys() & new.keys()):
        if before.of_rule(old[key]) != after.of_rule(new[key]):
            said = f"the rule {key[1]} of {key[0]} means something else"
            yield Change("T2S603", f"{key[0]}.{key[1]}", said, _said(old[key]), _said(new[key]))


def _rules_by_name(senses: Senses, kept: set[str]) -> dict[tuple[str, str], Rule]:
    """By table and own name: a name that two tables' rules share is written with the table's."""
    found = {}
    for rule in senses.schema.rules:
        table = senses.renames.table(rule.table)
        if rule.kind in (RuleKind.WRITTEN, RuleKind.METRIC) and table in kept:
            found[table, rule.name.removesuffix(f"_{rule.table}")] = rule
    return found


def _said(rule: Rule) -> str:
    return f"{rule.predicate}{' (always)' if rule.always else ''}"


def _saved(old: Sequence[SavedQuery], new: Sequence[SavedQuery]) -> Iterator[Change]:
    after = {each.name: each for each in new}
    for each in old:
        now = after.get(each.name)
        if now is None:
            yield Change("T2S801", each.name, f"the saved query {each.name} is gone")
        elif (each.metrics, each.group_by, each.where) != (now.metrics, now.group_by, now.where):
            said = f"the saved query {each.name} asks for something else"
            yield Change("T2S801", each.name, said, ", ".join(each.metrics), ", ".join(now.metrics))
