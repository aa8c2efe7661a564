"""None of something: "without a weight" asks for what is missing, or for a nought.

The words do not tell which of the two; what the column is known to hold does.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.project.schema import Column, Kind, ProjectSchema
from dbt_t2s.query.plan import Col, Compare, Has, Not, Null, Or, Plan, Pred

_NOUGHT = re.compile(r"(?<![\d.,])0(?![\d.,]*\d)|\b(?:zero|nought|naught|nil)\b", re.IGNORECASE)


def none_as_known(plan: Plan, text: str, schema: ProjectSchema) -> Plan:
    """``plan`` with a nought made a missing value where its column holds no nought, and the other
    way round; as it is where the question says the number."""
    if _NOUGHT.search(text):
        return plan
    return replace(plan, where=tuple(_known(each, schema) for each in plan.where))


def _known(pred: Pred, schema: ProjectSchema) -> Pred:
    match pred:
        case Not(inner):
            return Not(_known(inner, schema))
        case Or(left, right):
            return Or(_known(left, schema), _known(right, schema))
        case Has(table, where):
            return Has(table, tuple(_known(each, schema) for each in where))
        case Compare("EQ", Col() as of, "0") if _lacks_nought(_column(of, schema)):
            return Null(of)
        case Null(of) if _misses_none(_column(of, schema)):
            return Compare("EQ", of, "0")
    return pred


def _column(of: Col, schema: ProjectSchema) -> Column:
    return schema.table(of.table).column(of.column)


def _lacks_nought(column: Column) -> bool:
    """Whether values are missing in a column that holds none from 0 down, or none up to it."""
    bounds = _bounds(column)
    return bool(column.null_share) and bounds is not None and (bounds[0] > 0 or bounds[1] < 0)


def _misses_none(column: Column) -> bool:
    """Whether a column that reaches to 0 lacks no value."""
    bounds = _bounds(column)
    return column.null_share == 0 and bounds is not None and 0 in bounds


def _bounds(column: Column) -> tuple[float, float] | None:
    """The least and the largest number; None where nobody has looked."""
    if column.kind is not Kind.NUMBER or column.minimum is None or column.maximum is None:
        return None
    return float(column.minimum), float(column.maximum)
