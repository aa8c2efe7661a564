"""The query plan: what a question asks for, without FROM, JOIN or GROUP BY.

A plan names columns, metrics and values; tables, joins and grouping follow from them (as in
NatSQL, Gan et al. 2021, taken one step further). It has a linear prefix form, the token sequence
that the embedded model writes:

    plan   := REFUSE | sel+ [WHERE pred+] [HAVING pred+] [(DESC|ASC) expr [LIMIT n [PER dim]]] END
    sel    := [DISTINCT] dim | measure
    dim    := row | GRAIN (TIME | column)
    row    := column | DIFF column column
    measure:= metric | COUNT table | AGG row | SHARE measure | CHANGE measure
            | RUNNING measure | DIV measure measure | SUB measure measure | RATE pred
            | AVG_EACH measure dim | ONLY measure pred
    pred   := value | date | rule | flag column | NOT pred | OR pred pred | CMP (measure | row) n
            | CMP column column | ON column date | NULL column | HAS table pred* CLOSE
            | LIKE column string

What the network was never taught is written by code alone, where a question's words say it
(``query.frames``):

    plan   := … [LIMIT n [SKIP n] [PER dim]] [OF_TOTAL] END
    dim    := … | WEEKEND (TIME | column)
    measure:= … | AGG PRODUCT column column | ROLLING_AVG n measure | ROLLING_SUM n measure
              | CHANGE_OVER n measure | MINUS measure measure
    pred   := … | WEEKDAYS (TIME | column) string | CMP measure OVERALL
              | CMP (row | measure) AVERAGE_OVER n [AVG_EACH column] pred* CLOSE
"""

from __future__ import annotations

from dataclasses import dataclass, replace

GRAINS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
PARTS = ("DOW", "HOUR", "MONTH_OF_YEAR")
DAYS_OF_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKEND = "WEEKEND"  # cuts days to weekends and working days
AGGREGATES = ("SUM", "AVG", "MIN", "MAX", "MEDIAN", "COUNT_DISTINCT")
COMPARISONS = {"GT": ">", "GE": ">=", "LT": "<", "LE": "<=", "EQ": "=", "NE": "<>"}
OPPOSITE = {"GT": "LE", "GE": "LT", "LT": "GE", "LE": "GT", "EQ": "NE", "NE": "EQ"}
WRAPPERS = ("SHARE", "CHANGE", "RUNNING")
# These add up what they wrap: a rate or an average has no total.
SUMMED = ("SHARE", "RUNNING")
# Over a number of periods: the mean or sum of the last ones, the change against so many before.
ROLLING = {"ROLLING_AVG": "avg", "ROLLING_SUM": "sum", "CHANGE_OVER": "lag"}
ARITHMETIC = {"DIV": "/", "SUB": "-"}
# The difference in which nothing at all is nought: what sold nothing this year sold less.
MINUS = "MINUS"


@dataclass(frozen=True)
class Col:
    table: str
    column: str


@dataclass(frozen=True)
class Diff:
    """What one column of a row has more than another; days between two dates."""

    left: Col
    right: Col

    @property
    def table(self) -> str:
        return self.left.table


@dataclass(frozen=True)
class Product:
    """Two columns of a row multiplied: what is there, at its cost. Only aggregated."""

    left: Col
    right: Col

    @property
    def table(self) -> str:
        return self.left.table


@dataclass(frozen=True)
class Time:
    """The default time of whatever is measured (MetricFlow's ``metric_time``)."""


@dataclass(frozen=True)
class Bucket:
    """A time column cut to a grain (``MONTH``) or reduced to a part (``DOW``)."""

    grain: str
    of: Col | Time


@dataclass(frozen=True)
class Agg:
    function: str
    of: Col | Diff | Product


@dataclass(frozen=True)
class Count:
    table: str


@dataclass(frozen=True)
class MetricRef:
    name: str


@dataclass(frozen=True)
class Wrapped:
    """SHARE of the total, CHANGE against the period before, or RUNNING total."""

    function: str
    of: Measure


@dataclass(frozen=True)
class Rolling:
    """The average or sum of the last ``periods`` periods, a number as text, or the change against
    so many periods before."""

    function: str
    periods: str
    of: Measure


@dataclass(frozen=True)
class Arithmetic:
    operator: str
    left: Measure
    right: Measure


@dataclass(frozen=True)
class Rate:
    """The share of rows of the predicate's table for which it holds."""

    predicate: Pred


@dataclass(frozen=True)
class AvgEach:
    """The average over groups: ``AVG_EACH revenue MONTH`` is average monthly revenue."""

    of: Measure
    dim: Dim


@dataclass(frozen=True)
class Only:
    """A measure over those rows alone for which the predicate holds."""

    of: Measure
    predicate: Pred


@dataclass(frozen=True)
class Value:
    table: str
    column: str
    value: str


@dataclass(frozen=True)
class Range:
    """Days from ``start`` (included) to ``end`` (excluded), ISO; either may be empty."""

    start: str
    end: str


@dataclass(frozen=True)
class During:
    of: Col | Time
    range: Range


@dataclass(frozen=True)
class Weekdays:
    """Only days of these names ("Saturday")."""

    of: Col | Time
    days: tuple[str, ...]


@dataclass(frozen=True)
class RuleRef:
    name: str


@dataclass(frozen=True)
class Flag:
    of: Col


@dataclass(frozen=True)
class Not:
    of: Pred


@dataclass(frozen=True)
class Or:
    left: Pred
    right: Pred


@dataclass(frozen=True)
class Peers:
    """The average of those rows of the table that are alike in ``of``: of its own category."""

    of: Col


@dataclass(frozen=True)
class Overall:
    """The same measure over all groups together: the rate of the whole company."""


@dataclass(frozen=True)
class Average:
    """So many ``times`` the average of the same thing over the rows for which ``where`` holds; of
    those alike in ``of``, where it is given. Of groups it has neither."""

    times: str = "1"
    of: Col | None = None
    where: tuple[Pred, ...] = ()


@dataclass(frozen=True)
class Compare:
    """``right`` is a number as text, another column of the same row, or None for "the average of
    the same thing"; ``Peers`` for that of rows alike, ``Overall`` for that of all groups as one,
    ``Average`` for that of certain rows or a multiple of it."""

    operator: str
    left: Measure | Col | Diff
    right: str | Col | Peers | Overall | Average | None


@dataclass(frozen=True)
class Null:
    of: Col


@dataclass(frozen=True)
class Has:
    table: str
    where: tuple[Pred, ...]


@dataclass(frozen=True)
class Like:
    of: Col
    text: str


Dim = Col | Diff | Bucket
Measure = Agg | Count | MetricRef | Wrapped | Rolling | Arithmetic | Rate | AvgEach | Only
Expr = Dim | Measure
Pred = Value | During | Weekdays | RuleRef | Flag | Not | Or | Compare | Null | Has | Like

MEASURES = (Agg, Count, MetricRef, Wrapped, Rolling, Arithmetic, Rate, AvgEach, Only)


@dataclass(frozen=True)
class Order:
    by: Expr
    descending: bool


@dataclass(frozen=True)
class Plan:
    """``limit`` is a count as text, None for all rows; ``per`` makes the limit one per group.

    ``skip`` rows come before those: the third best is one after two. ``of_total`` asks for the
    share that the rows so limited have of what all rows are ordered by, ``counted`` for the number
    of rows that all the rest asks for.
    """

    select: tuple[Expr, ...]
    where: tuple[Pred, ...] = ()
    having: tuple[Pred, ...] = ()
    order: Order | None = None
    limit: str | None = None
    per: Dim | None = None
    distinct: bool = False
    skip: str | None = None
    of_total: bool = False
    counted: bool = False


def is_measure(expression: Expr) -> bool:
    return isinstance(expression, MEASURES)


# The order in which a plan names its conditions.
_PRED_ORDER = (Value, Or, Not, Flag, RuleRef, Null, Compare, Like, Has, Weekdays, During)


def canonical(plan: Plan) -> Plan:
    """The same plan with dimensions before measures and conditions in the order of their sorts.

    Neither order changes the answer; one way to write a plan leaves the model less to choose.
    """
    select = tuple(sorted(plan.select, key=is_measure))
    where = tuple(sorted(plan.where, key=lambda pred: _PRED_ORDER.index(type(pred))))
    return replace(plan, select=select, where=where)
