"""The enriched schema: what one dbt project lets people ask about.

Every type here is frozen and built from tuples, so that a value's fingerprint is stable and
decides what is stale (see ``store``).
"""

from __future__ import annotations

from calendar import month_name
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a column's type lets one do with it."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    OTHER = "other"


class Role(StrEnum):
    """What a column is for."""

    KEY = "key"
    FOREIGN_KEY = "foreign_key"
    CATEGORY = "category"
    MEASURE = "measure"
    TIME = "time"
    FLAG = "flag"
    TEXT = "text"


class Cardinality(StrEnum):
    MANY_TO_ONE = "many_to_one"
    ONE_TO_ONE = "one_to_one"


class RuleKind(StrEnum):
    """Where a business rule comes from, the strongest first."""

    WRITTEN = "written"  # meta.t2s.rules
    METRIC = "metric"  # a metric's filter or definition
    LEFT_OUT = "left out"  # never counted, as a description or all metrics over a table say
    CONDITION = "condition"  # recurs in compiled SQL over the same relation
    BUCKET = "bucket"  # a CASE that defines a term
    VALUE = "value"  # an accepted value and what it means
    PINNED = "pinned"  # a behaviour that a unit test pins


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Issue:
    """One thing that could not be read or used; the rest went on."""

    level: Level
    where: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a queryable table.

    ``type`` is the warehouse's own type name, ``type_origin`` says where it was found (``catalog``,
    ``warehouse``, ``declared``, ``sql`` or ``unknown``), ``confidence`` (0 to 1) how far that can
    be trusted. ``values`` are frequent or accepted values, never sampled from personal data.
    ``checked`` names what dbt's tests or constraints check of it (``unique``, ``not_null``);
    ``unique`` and ``nullable`` may rest on a semantic model's word alone. ``cleared`` is true where
    its docs say that it is not personal. ``description_origin`` is ``node`` or ``semantic model``,
    empty without one. ``minimum`` and ``maximum`` are ISO or
    decimal text. ``format`` is the shape of the values (``AA-999``), ``unit`` what a number counts
    (``EUR``, ``percent``, ``days``), both empty when unknown. ``sources`` are the columns of other
    nodes that this one is made from (``model.shop.stg_orders.amount``), ``expression`` the SQL over
    those names, empty where the column is passed on as it is.
    """

    name: str
    type: str
    kind: Kind
    role: Role
    type_origin: str = "unknown"
    label: str = ""
    description: str = ""
    synonyms: tuple[str, ...] = ()
    nullable: bool = True
    unique: bool = False
    checked: tuple[str, ...] = ()
    personal: bool = False
    cleared: bool = False
    values: tuple[str, ...] = ()
    values_complete: bool = False
    distinct: int | None = None
    null_share: float | None = None
    minimum: str | None = None
    maximum: str | None = None
    confidence: float = 1.0
    format: str = ""
    unit: str = ""
    sources: tuple[str, ...] = ()
    expression: str = ""
    description_origin: str = ""


@dataclass(frozen=True)
class Rule:
    """A business rule with its machine form and its evidence.

    ``predicate`` is a boolean SQL expression over the columns of ``table``, in the project's
    dialect. ``always`` rules hold whenever rows of the table are counted or summed, asked for or
    not (``meta.t2s.rules`` says ``applies: always``, every metric on the table carries it, or a
    description says that the other rows never count).
    ``kind`` says where the rule comes from; ``evidence`` are node ids, with ``path:line`` where a
    file says it; ``support`` counts what carries it.
    """

    name: str
    sentence: str
    table: str
    predicate: str
    evidence: tuple[str, ...] = ()
    support: int = 0
    synonyms: tuple[str, ...] = ()
    always: bool = False
    kind: RuleKind = RuleKind.WRITTEN


@dataclass(frozen=True)
class Table:
    """A queryable dbt node.

    ``name`` is what a person calls it and is unique in the schema; ``relation`` is how SQL names it
    (quoted where needed). ``entity`` is the singular noun for one row (``order``), empty when
    unknown. ``description_origin`` is as a column's. ``time_column`` is the column that dates a row
    when nobody says which. ``group`` is dbt's group that the node belongs to, ``owner`` who owns
    that, both empty where nobody says.
    """

    name: str
    relation: str
    unique_id: str
    path: str
    columns: tuple[Column, ...]
    label: str = ""
    description: str = ""
    synonyms: tuple[str, ...] = ()
    primary_key: tuple[str, ...] = ()
    entity: str = ""
    time_column: str = ""
    rows: int | None = None
    layer: str = ""
    group: str = ""
    owner: str = ""
    description_origin: str = ""

    def column(self, name: str) -> Column:
        """The column called ``name``; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")


@dataclass(frozen=True)
class Join:
    """An edge: ``table.columns`` points at ``to_table.to_columns`` (the one side).

    ``evidence`` names what speaks for it, the strongest first; ``support`` counts the queries of
    the project that join so. ``meaning`` tells edges between the same two tables apart
    (``ship date``). ``proven`` is False where names and values are all that speaks for it.
    ``orphan_share`` is the share of filled rows that point at nothing, None where it was not
    measured.
    """

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    cardinality: Cardinality = Cardinality.MANY_TO_ONE
    evidence: tuple[str, ...] = ()
    entity: str = ""
    support: int = 0
    meaning: str = ""
    proven: bool = True
    orphan_share: float | None = None


@dataclass(frozen=True)
class Measure:
    """An aggregation over one table: what simple metrics are made of.

    ``expression`` is SQL over the bare column names of ``table`` (``1`` for counts of rows).
    ``aggregation`` is one of sum, count, count_distinct, avg, min, max, median, sum_boolean.
    """

    name: str
    table: str
    aggregation: str
    expression: str
    time_column: str


@dataclass(frozen=True)
class MetricFilter:
    """A metric's filter with its template resolved.

    ``predicate`` is SQL in which every column is written ``table.column`` with names from the
    schema; ``tables`` are those it reads.
    """

    predicate: str
    tables: tuple[str, ...]


@dataclass(frozen=True)
class CompiledMetric:
    """MetricFlow's own SQL for a metric under one grouping.

    ``group_by`` is MetricFlow's name (``metric_time__month``, ``store__country`` or empty), and
    ``table``/``column``/``grain`` say what that is in the schema (empty for metric_time).
    ``column_alias`` and ``metric_alias`` are the output columns.
    """

    group_by: str
    sql: str
    metric_alias: str
    column_alias: str = ""
    table: str = ""
    column: str = ""
    grain: str = ""


@dataclass(frozen=True)
class Metric:
    """A semantic-layer metric.

    Exactly one of these describes it:

    - ``measure`` (type simple): aggregate of one table under ``filters``;
    - ``expression`` over ``inputs`` (types ratio and derived): SQL in which each input metric is
      written as its alias; ``inputs`` are (alias, metric name, extra filters);
    - neither (cumulative, conversion, offsets, non-additive measures): only ``compiled`` is usable.

    ``tables`` are all tables it reads, ``time_table``/``time_column`` what ``metric_time`` is.
    ``dimensions`` are the (table, column) pairs MetricFlow allows it to be grouped by.
    """

    name: str
    type: str
    label: str = ""
    description: str = ""
    synonyms: tuple[str, ...] = ()
    measure: Measure | None = None
    filters: tuple[MetricFilter, ...] = ()
    expression: str = ""
    inputs: tuple[MetricInput, ...] = ()
    tables: tuple[str, ...] = ()
    time_table: str = ""
    time_column: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    compiled: tuple[CompiledMetric, ...] = ()
    unique_id: str = ""


@dataclass(frozen=True)
class MetricInput:
    alias: str
    metric: str
    filters: tuple[MetricFilter, ...] = ()


@dataclass(frozen=True)
class SavedQuery:
    name: str
    label: str
    description: str
    metrics: tuple[str, ...]
    group_by: tuple[str, ...]
    where: tuple[str, ...]
    sql: str = ""
    exports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exposure:
    """A dashboard, notebook, application or other use of the project.

    ``tables`` and ``metrics`` are what it reads, by their names in the schema; the tables of those
    metrics are among them. ``contact`` is where its owner can be written to.
    """

    name: str
    type: str
    unique_id: str
    label: str = ""
    description: str = ""
    owner: str = ""
    contact: str = ""
    tables: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relation:
    """A node or source that cannot be asked for but that the project's SQL reads.

    ``columns`` are the names of all its columns.
    """

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class FiscalYear:
    """When the project's fiscal years begin: on the first day of ``month``.

    ``named`` is ``end`` where fiscal 2024 is the year that ends in 2024, ``start`` where it begins
    in it. ``evidence`` is the node or setting that says so.
    """

    month: int
    named: str = "end"
    evidence: str = ""

    @property
    def sentence(self) -> str:
        """When it begins and what it is called, in words."""
        begins = f"fiscal years begin in {month_name[self.month]}"
        return begins if self.month == 1 else f"{begins}, fiscal 2024 {self.named}s in 2024"


@dataclass(frozen=True)
class ProjectSchema:
    """Everything distilled from one dbt project.

    ``dialect`` is sqlglot's name for the project's adapter. ``as_of`` is the day that "today"
    means (ISO), empty for the real today. ``statements`` are (node id, kind, compiled SQL) of
    models, analyses, singular tests and saved queries, with secrets scrubbed. ``relations`` are
    those behind the tables of which all columns are known. ``fiscal_year`` is None where nothing
    says when it begins.
    """

    project: str
    dialect: str
    tables: tuple[Table, ...]
    joins: tuple[Join, ...] = ()
    metrics: tuple[Metric, ...] = ()
    rules: tuple[Rule, ...] = ()
    saved_queries: tuple[SavedQuery, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    as_of: str = ""
    dbt_version: str = ""
    manifest_version: str = ""
    issues: tuple[Issue, ...] = ()
    statements: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    relations: tuple[Relation, ...] = field(default=(), repr=False)
    fiscal_year: FiscalYear | None = None

    @property
    def askable_rules(self) -> tuple[Rule, ...]:
        """The rules that a question may name: those that people named, in meta or as a metric, and
        what is left out everywhere.

        Of what was mined only a bucket that two queries define alike, under a word that is
        neither a column nor a value of its table: the others are asked for as columns and values,
        or have no name that people use.
        """
        columns = {table.name: table.columns for table in self.tables}
        return tuple(rule for rule in self.rules if _can_be_named(rule, columns))

    @property
    def documented(self) -> bool:
        """Whether people said what the data means: in metrics, or of a tenth of the columns."""
        columns = [column for table in self.tables for column in table.columns]
        described = sum(bool(column.description or column.label) for column in columns)
        return bool(self.metrics) or described * 10 > len(columns)

    def table(self, name: str) -> Table:
        """The table called ``name``; KeyError if there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


def _can_be_named(rule: Rule, columns_of: Mapping[str, tuple[Column, ...]]) -> bool:
    if rule.kind is not RuleKind.BUCKET:
        return rule.kind in (RuleKind.WRITTEN, RuleKind.METRIC, RuleKind.LEFT_OUT)
    columns = columns_of[rule.table]
    values = {value.lower() for column in columns for value in column.values}
    of_column = any(rule.name.lower().endswith(column.name.lower()) for column in columns)
    of_value = any(name.lower() in values for name in (rule.name, *rule.synonyms))
    return bool(rule.predicate) and rule.support > 1 and not (of_column or of_value)
