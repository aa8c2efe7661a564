"""A rate that is compared with that of the whole: "sites whose occupancy is below the company's".

The average of the sites' rates is another number than the rate of all sites together. Where a
question says the whole and the measure is a rate or an average, the second is meant; of 32 written
questions that say "overall" beside an average all but one compare sums, which have no such number.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.plan import Col, Compare, Diff, Overall, Plan, Pred

_WHOLE = re.compile(
    r"\boverall\b|\bas\s+a\s+whole\b|\b(?:company|firm|business|chain|group|network|nation)[\s-]*(?:wide|level)\b|"
    r"\b(?:the\s+)?(?:company|firm|business|chain)['’]s\b|"
    r"\b(?:of|for|across|over)\s+(?:the\s+)?(?:whole|entire|all)\b|\bthe\s+(?:whole|entire)\s+\w+['’]s\b",
    re.IGNORECASE,
)


def with_the_whole(plan: Plan, text: str, binder: Binder) -> Plan:
    """``plan`` with groups compared with all of them as one, where ``text`` says so."""
    if not plan.having or not _WHOLE.search(text):
        return plan
    return replace(plan, having=tuple(_compared(each, binder) for each in plan.having))


def _compared(pred: Pred, binder: Binder) -> Pred:
    if not isinstance(pred, Compare) or pred.right is not None or isinstance(pred.left, Col | Diff):
        return pred
    try:
        adds_up = binder.lower(pred.left).adds_up
    except QueryPlanError:
        return pred
    return pred if adds_up else replace(pred, right=Overall())
