"""Items: what a plan's tokens may point at, with what the grammar must know of each."""

from __future__ import annotations

from dataclasses import dataclass

from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Role, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import value_of
from dbt_t2s.query.naming import display_column
from dbt_t2s.query.plan import MetricRef

# Among the dimensions of such a metric: one that comes together over time has a value at each end.
ADDS_UP = "at the end of a time"


@dataclass(frozen=True)
class Item:
    """One thing to point at.

    ``phrases`` are its names in plain words, best first; ``text`` is what the encoder reads.
    ``roots`` are the tables a metric aggregates; ``compiled`` holds the dimension tokens under
    which a metric that only MetricFlow can write may be asked for (None for all other items).
    ``adds_up`` holds for a metric whose groups make a total together: no rate, no average.
    """

    token: str
    sort: str
    table: str = ""
    column: str = ""
    kind: Kind | None = None
    role: Role | None = None
    phrases: tuple[str, ...] = ()
    text: str = ""
    roots: tuple[str, ...] = ()
    timed: bool = False
    compiled: frozenset[str] | None = None
    adds_up: bool = False


def humanise(name: str) -> str:
    """An identifier in plain words: ``net_amount_eur`` → net amount eur."""
    return " ".join(name.replace("_", " ").replace("-", " ").split())


def schema_items(schema: ProjectSchema, binder: Binder) -> tuple[Item, ...]:
    """Every table, column, metric and rule, in the schema's order."""
    items: list[Item] = []
    for table in schema.tables:
        items.append(_table_item(table))
        items.extend(_column_item(table, column) for column in table.columns)
    items.extend(_metric_item(schema, binder, index) for index in range(len(schema.metrics)))
    for rule in schema.askable_rules:
        phrases = (humanise(rule.name), *rule.synonyms)
        text = f"{humanise(rule.name)}: {rule.sentence}"
        token = f"r:{rule.name}"
        items.append(Item(token, "r", rule.table, phrases=phrases, text=text))
    return tuple(items)


def _phrases(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n.strip().lower() for n in names if n.strip()))


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].strip().rstrip(".")[:160]


def _table_item(table: Table) -> Item:
    names = _phrases(table.label, humanise(table.name), table.entity, *table.synonyms)
    text = f"table {humanise(table.name)}: {_first_sentence(table.description)}"
    timed = bool(table.time_column)
    return Item(f"t:{table.name}", "t", table.name, phrases=names, text=text, timed=timed)


# Words of column names that say unit, type or side rather than meaning.
UNSAID = frozenset((
    "id", "key", "at", "on", "date", "eur", "usd", "gbp", "is", "has", "was", "num", "no", "flag",
    "nbr", "ts", "dt", "pct",
))  # fmt: skip


def column_phrases(table: Table, column: Column) -> tuple[str, ...]:
    """Names for a column in plain words: its own, its synonyms, and shorter forms."""
    words = humanise(column.name).split()
    core = [w for at, w in enumerate(words) if w not in UNSAID or words[at - 1 : at] == ["to"]]
    core = core or words
    entity = table.entity.removesuffix("_id") or table.name.removesuffix("s")
    without = [w for w in core if w not in entity.split("_")] or core
    spoken = (" ".join(core), " ".join(without)) if len(core) < len(words) else (" ".join(words),)
    names = (*spoken, column.label, *column.synonyms, " ".join(words), " ".join(without))
    return _phrases(*(n.replace("_", " ") for n in names))


def _column_item(table: Table, column: Column) -> Item:
    names = column_phrases(table, column)
    display = display_column(table)
    if display is not None and display.name == column.name:
        names = _phrases(*names, humanise(table.entity.removesuffix("_id")), humanise(table.name))
    said = _first_sentence(column.description)
    text = f"{humanise(column.name)} of {humanise(table.name)}" + (f": {said}" if said else "")
    return Item(
        f"c:{table.name}.{column.name}",
        "c",
        table.name,
        column.name,
        column.kind,
        column.role,
        names,
        text,
    )


def _metric_item(schema: ProjectSchema, binder: Binder, index: int) -> Item:
    metric = schema.metrics[index]
    names = _phrases(metric.label, humanise(metric.name), *metric.synonyms)
    said = _first_sentence(metric.description)
    text = f"metric {metric.label or humanise(metric.name)}" + (f": {said}" if said else "")
    if binder.measures.usable(metric.name):
        lowered = binder.lower(MetricRef(metric.name))
        return Item(
            f"m:{metric.name}",
            "m",
            phrases=names,
            text=text,
            roots=tuple(dict.fromkeys(a.root for a in lowered.atoms)),
            timed=all(a.time for a in lowered.atoms),
            adds_up=lowered.adds_up,
        )
    groups = frozenset(
        f"c:{made.table}.{made.column}" if made.column and not made.grain else made.grain.upper()
        for made in metric.compiled
    )
    if metric.type == "cumulative" and "DAY" in groups:
        groups |= {ADDS_UP}
    root = (metric.time_table,) if metric.time_table else metric.tables[:1]
    return Item(
        f"m:{metric.name}", "m", phrases=names, text=text, roots=root, timed=True, compiled=groups
    )


def mention_item(token: str, schema: ProjectSchema) -> Item:
    """The item for what a question itself brings: a value, number, date or quoted text."""
    sort, _, body = token.partition(":")
    if sort != "v":
        return Item(token, sort)
    value = value_of(body)
    column = schema.table(value.table).column(value.column)
    text = f"{value.value} is a {humanise(column.name)} of {humanise(value.table)}"
    return Item(token, "v", value.table, value.column, column.kind, column.role, text=text)
