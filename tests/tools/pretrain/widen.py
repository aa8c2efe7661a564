"""A project among more: what a larger one holds beside what its people ask for.

The written projects have some ten metrics and sixty columns; one in use has many times that, most
of it close to what is meant (the growth of revenue, the revenue of the web shop, the largest
order). ``widened`` adds such columns and metrics, and the tables of another trade. What a question
may mean of it is known, so that no question is asked where it has two answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from dbt_t2s.project.schema import (
    Column,
    CompiledMetric,
    Kind,
    Measure,
    Metric,
    MetricFilter,
    ProjectSchema,
    Role,
    Table,
)
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.items import humanise, schema_items
from dbt_t2s.query.linear import REFUSAL
from dbt_t2s.query.naming import display_column
from dbt_t2s.query.text import STOP_WORDS, stems
from tests.tools.pretrain.tellings import Question, Telling
from tests.tools.pretrain.usual import COLUMNS, Usual

_OTHERS_TRIED = 12
_A_TABLE = (2, 7)  # columns added to a table, at least and at most
_A_METRIC = (1, 3)
_METRICS = 30
_ASKED, _REFUSED = 0.9, 0.5  # shares of what is left alone that is asked of the wider schema
_GRAINS = ("day", "week", "month", "quarter", "year")
_MORE = (
    "grow growth grew grown change increase rise rose fall fell drop decline trend develop up down"
)
_FAR = "cumulative running ever overall"
_MEAN = "average mean typical usual usually normally"
_ENDS = (
    "largest biggest highest maximum most top smallest lowest least minimum median best worst "
    "longest shortest single dearest cheapest record peak"
)
Words = frozenset[str]


@dataclass(frozen=True)
class Added:
    """One thing that was added: a question that says all of some ``words`` (stems), or whose plan
    has all of some ``marks`` (tokens, and ``@table`` for those it touches), may mean it."""

    words: tuple[Words, ...]
    marks: tuple[Words, ...] = ()

    def meant(self, said: Words, marks: Words, own: frozenset[Words]) -> bool:
        """Whether it may be; words that are ``own`` names mean their own things."""
        named = any(words and words <= said and words not in own for words in self.words)
        return named or any(each <= marks for each in self.marks)


@dataclass(frozen=True)
class Widened:
    schema: ProjectSchema
    added: tuple[Added, ...]
    own: frozenset[Words]  # what the schema's own items are called

    def leaves_alone(self, question: Question) -> bool:
        """Whether the question means what it meant before."""
        said = frozenset(stems(question.text))
        marks = self._marks(question.tokens)
        if question.tokens == REFUSAL:
            rest = said - frozenset().union(*self.own) - STOP_WORDS
            return not any(rest & words for each in self.added for words in each.words)
        several = len([m for m in marks if m[:2] in ("t:", "c:", "m:", "r:")]) > 1
        own: frozenset[Words] = self.own if several else frozenset()
        return not any(each.meant(said, marks, own) for each in self.added)

    def _marks(self, tokens: Sequence[str]) -> frozenset[str]:
        marks = set(tokens)
        metrics = _read_by(self.schema)
        rules = {r.name: (r.table,) for r in self.schema.rules}
        for token in tokens:
            sort, colon, body = token.partition(":")
            if not colon:
                continue
            if sort in ("t", "c", "v"):
                marks.add(f"@{body.partition('=')[0].partition('.')[0]}")
            named = metrics.get(body, ()) if sort == "m" else rules.get(body, ())
            marks |= {f"@{table}" for table in named if sort in ("m", "r")}
        return frozenset(marks)


def _read_by(schema: ProjectSchema) -> dict[str, tuple[str, ...]]:
    """The tables that each metric reads, its inputs' among them."""
    own = {m.name: m.tables for m in schema.metrics}
    return {
        m.name: (*m.tables, *(t for i in m.inputs for t in own.get(i.metric, ())))
        for m in schema.metrics
    }


def widened(schema: ProjectSchema, others: Sequence[ProjectSchema], rng: Random) -> Widened:
    """The schema with more columns and metrics, and with the tables of one of the ``others``."""
    own = _called(schema)
    schema, columns = _with_columns(schema, rng)
    metrics: list[Added] = []
    if schema.metrics:
        schema, metrics = _with_metrics(schema, rng)
    schema, foreign = _merged(schema, others, own, rng)
    return Widened(schema, (*columns, *metrics, *foreign), own)


def _stems(text: str) -> Words:
    return frozenset(stems(text)) - STOP_WORDS


def _each(words: str) -> tuple[Words, ...]:
    return tuple(frozenset(stems(word)) for word in words.split())


def _with(words: str, *names: str) -> tuple[Words, ...]:
    """Each of the words beside each word of the names."""
    beside = sorted(frozenset().union(*(_stems(name) for name in names)))
    return tuple(each | {one} for each in _each(words) for one in beside)


def _called(schema: ProjectSchema) -> frozenset[Words]:
    """What a schema's items and listed values are called, as stems."""
    items = schema_items(schema, Binder(schema))
    names = {_stems(phrase) for item in items for phrase in item.phrases}
    values = {_stems(v) for t in schema.tables for c in t.columns for v in c.values}
    return frozenset(name for name in names | values if name)


def _with_columns(schema: ProjectSchema, rng: Random) -> tuple[ProjectSchema, list[Added]]:
    added: list[Added] = []
    tables = []
    for table in schema.tables:
        taken = {c.name for c in table.columns}
        usual = (_usual(each) for each in rng.sample(COLUMNS, 8))
        # By name: a child that refers twice to the table would give its columns twice.
        named = {o[0].name: o for o in (*_derived(schema, table, rng), *usual)}
        offered = [each for name, each in named.items() if name not in taken]
        chosen = rng.sample(offered, min(rng.randint(*_A_TABLE), len(offered)))
        made = replace(table, columns=(*table.columns, *(column for column, _ in chosen)))
        if display_column(made) == display_column(table):
            table = made
            added += [each for _, each in chosen]
        tables.append(table)
    return replace(schema, tables=tuple(tables)), added


def _usual(given: Usual) -> tuple[Column, Added]:
    column = Column(
        given.name, given.kind.value, given.kind, given.role, description=given.description,
        synonyms=given.synonyms, values=given.values, values_complete=bool(given.values),
    )  # fmt: skip
    names = (humanise(given.name), *given.synonyms, *given.values)
    return column, Added(tuple(_stems(name) for name in names))


def _derived(schema: ProjectSchema, table: Table, rng: Random) -> Iterator[tuple[Column, Added]]:
    """Columns that follow from others: parts of dates, time between them, sums of children."""
    dates = [c for c in table.columns if c.kind in (Kind.DATE, Kind.TIMESTAMP)]
    for column in dates:
        stem = column.name.removesuffix("_on").removesuffix("_at").removesuffix("_dt")
        said = humanise(stem)
        for grain, token in (("month", "MONTH"), ("weekday", "DOW"), ("year", "YEAR")):
            cue = Added(_each(f"{grain}ly"), (frozenset((token, f"@{table.name}")),))
            kind = (Kind.DATE, Role.TIME) if grain == "month" else (Kind.TEXT, Role.CATEGORY)
            yield _column(f"{stem}_{grain}", *kind, f"{grain.title()} of {said}."), cue
    for first, last in pairwise(dates):
        name = f"days_to_{last.name}"
        said = f"Days from {humanise(first.name)} to {humanise(last.name)}."
        cue = Added(_each("long fast quick wait slow"), (frozenset(("DIFF", f"@{table.name}")),))
        yield _column(name, Kind.NUMBER, Role.MEASURE, said), cue
    for join in schema.joins:
        if join.to_table == table.name and join.table != table.name:
            yield from _of_children(schema, table, join.table, rng)


def _of_children(
    schema: ProjectSchema, table: Table, child: str, rng: Random
) -> Iterator[tuple[Column, Added]]:
    rows = next(t for t in schema.tables if t.name == child)
    thing = humanise(rows.entity or rows.name)
    both = Added((), (frozenset((f"@{table.name}", f"@{child}")),))
    name = thing.replace(" ", "_")
    yield _column(f"{name}_count", Kind.NUMBER, Role.MEASURE, f"Number of {thing}s so far."), both
    if rows.time_column:
        end = rng.choice(("first", "last"))
        said = f"Day of the {end} {thing}; empty without one."
        yield _column(f"{end}_{name}_on", Kind.DATE, Role.TIME, said), both
    sums = [c for c in rows.columns if c.role is Role.MEASURE]
    if sums:
        of = rng.choice(sums)
        said = f"Sum of {humanise(of.name)} over all {thing}s."
        yield _column(f"lifetime_{of.name}", Kind.NUMBER, Role.MEASURE, said), both


def _column(name: str, kind: Kind, role: Role, description: str) -> Column:
    return Column(name, kind.value, kind, role, description=description)


def _with_metrics(schema: ProjectSchema, rng: Random) -> tuple[ProjectSchema, list[Added]]:
    taken = {m.name for m in schema.metrics}
    made: list[Metric] = []
    added: list[Added] = []
    for base in rng.sample(schema.metrics, len(schema.metrics)):
        offered = list(_near(schema, base, rng))
        for metric, each in rng.sample(offered, min(rng.randint(*_A_METRIC), len(offered))):
            if metric.name not in taken and len(made) < _METRICS:
                taken.add(metric.name)
                made.append(metric)
                added.append(each)
    return replace(schema, metrics=(*schema.metrics, *made)), added


def _near(schema: ProjectSchema, base: Metric, rng: Random) -> Iterator[tuple[Metric, Added]]:
    """Metrics that are made of ``base``."""
    label = base.label or humanise(base.name)
    said = label[:1].lower() + label[1:]
    if base.measure is None:
        return
    if base.time_column:
        yield _compiled(base, "growth", f"{label} growth", _grown(said, rng)), Added(_each(_MORE))
        yield _compiled(
            base, "change_to_last_year", f"{label} against last year",
            f"Change of {said} to the same time of last year, as a share.",
        ), Added((*_each(_MORE), *_each("compare against versus")))  # fmt: skip
        yield (
            replace(
                _compiled(base, "", f"Cumulative {said}", f"{label} from the first day on."),
                name=f"cumulative_{base.name}", type="cumulative",
            ),
            Added((*_each(_FAR), frozenset(stems("so far")), frozenset(stems("to date")))),
        )  # fmt: skip
        yield (
            _compiled(
                base,
                "year_to_date",
                f"{label} year to date",
                f"{label} since the first of January.",
            ),
            Added(
                (*_each(f"{_FAR} ytd"), frozenset(stems("this year")), frozenset(stems("so far")))
            ),
        )
        days = rng.choice((28, 30, 90, 365))
        yield _compiled(
            base, f"last_{days}_days", f"{label} of {days} days",
            f"{label} of the {days} days up to the day.",
        ), Added((*_each("rolling moving"), frozenset(stems(f"{days} days"))))  # fmt: skip
    table = next(t for t in schema.tables if t.name == base.measure.table)
    yield from _of_some(base, table, label, said, rng)
    yield from _ends(table, rng)


def _grown(said: str, rng: Random) -> str:
    return rng.choice(
        (
            f"Change of {said} against the month before, as a share.",
            f"How much {said} grew from one month to the next.",
        )
    )


def _of_some(
    base: Metric, table: Table, label: str, said: str, rng: Random
) -> Iterator[tuple[Metric, Added]]:
    """The same of one listed value alone, and the share that this has."""
    listed = [c for c in table.columns if c.values and c.role is Role.CATEGORY]
    for column in rng.sample(listed, min(2, len(listed))):
        value = rng.choice(column.values)
        spoken = humanise(value).lower()
        name = "_".join(spoken.split())
        each = Added((_stems(spoken),), (frozenset((f"v:{table.name}.{column.name}={value}",)),))
        quoted = value.replace("'", "''")
        where = MetricFilter(f"{table.name}.{column.name} = '{quoted}'", (table.name,))
        some = replace(base, filters=(*base.filters, where), synonyms=(), unique_id="")
        told = f"{label} where {humanise(column.name)} is {spoken}."
        of_it = f"{spoken.capitalize()} {said}"
        yield replace(some, name=f"{name}_{base.name}", label=of_it, description=told), each
        rate, share = f"{spoken.capitalize()} rate", f"Share of {said} that is {spoken}."
        rated = f"{name}_rate_of_{base.name}"
        yield replace(some, name=rated, label=rate, description=share), each


def _ends(table: Table, rng: Random) -> Iterator[tuple[Metric, Added]]:
    """The largest, the median, the average of one of the table's measures."""
    sums = [c for c in table.columns if c.role is Role.MEASURE]
    if not sums:
        return
    thing = humanise(table.entity or table.name)
    column = rng.choice(sums)
    of = humanise(column.name)
    touched = f"@{table.name}"
    for how, word in (("max", "largest"), ("min", "smallest"), ("median", "median")):
        said = f"{word.capitalize()} {of} of a single {thing}."
        made = _measured(table, how, f"{word}_{column.name}", f"{word.capitalize()} {of}", said)
        yield made, Added(_with(_ENDS, of, thing), (frozenset((how.upper(), touched)),))
    name, label = f"average_{column.name}", f"Average {of}"
    made = _measured(table, "average", name, label, f"{of.capitalize()} a {thing}.")
    per = f"{of} per {thing}"
    cues = (*_with(_MEAN, of, thing), _stems(per))
    yield replace(made, synonyms=(per,)), Added(cues, (frozenset(("AVG", touched)),))


def _measured(table: Table, how: str, name: str, label: str, description: str) -> Metric:
    column = name.partition("_")[2]
    measure = Measure(name, table.name, how, column, table.time_column)
    return Metric(
        name, "simple", label, description, (), measure,
        tables=(table.name,), time_table=table.name, time_column=table.time_column,
    )  # fmt: skip


def _compiled(base: Metric, suffix: str, label: str, description: str) -> Metric:
    """A metric that only MetricFlow could write: nothing here asks for its SQL."""
    name = f"{base.name}_{suffix}"
    compiled = tuple(
        CompiledMetric(f"metric_time__{grain}", "", name, f"metric_time__{grain}",
                       base.time_table, base.time_column, grain)
        for grain in _GRAINS
    )  # fmt: skip
    return Metric(
        name, "derived", label, description, tables=base.tables, time_table=base.time_table,
        time_column=base.time_column, compiled=compiled,
    )  # fmt: skip


def _merged(
    schema: ProjectSchema, others: Sequence[ProjectSchema], own: frozenset[Words], rng: Random
) -> tuple[ProjectSchema, list[Added]]:
    """The schema beside the tables of another that has none of its tables' names."""
    named = {frozenset(stems(humanise(n))) for t in schema.tables for n in _names(t)}
    for other in rng.sample(others, min(_OTHERS_TRIED, len(others))):
        theirs = {frozenset(stems(humanise(n))) for t in other.tables for n in _names(t)}
        metrics = {m.name for m in schema.metrics} & {m.name for m in other.metrics}
        rules = {r.name for r in schema.rules} & {r.name for r in other.rules}
        if other.project == schema.project or named & theirs or metrics or rules:
            continue
        if bool(other.metrics) != bool(schema.metrics):
            continue
        whole = replace(
            schema,
            tables=(*schema.tables, *other.tables),
            joins=(*schema.joins, *other.joins),
            metrics=(*schema.metrics, *other.metrics),
            rules=(*schema.rules, *other.rules),
        )
        return whole, [Added((name,)) for name in sorted(_called(other), key=sorted)]
    return schema, []


def _names(table: Table) -> tuple[str, ...]:
    return (table.name, table.entity or table.name, *table.synonyms)


def divided(telling: Telling, others: Sequence[ProjectSchema], rng: Random) -> list[Telling]:
    """The telling widened, with the questions that this leaves alone, and as it was with the rest.

    Of what is to be refused only some is asked of the wider schema: it has fewer other questions.
    """
    wide = widened(telling.schema, others, rng)
    asked: tuple[list[Question], list[Question]] = ([], [])
    for question in telling.questions:
        most = _REFUSED if question.tokens == REFUSAL else _ASKED
        asked[rng.random() < most and wide.leaves_alone(question)].append(question)
    plain, more = (tuple(part) for part in asked)
    found = [
        replace(telling, questions=plain),
        replace(telling, schema=wide.schema, questions=more),
    ]
    return [each for each in found if each.questions]
