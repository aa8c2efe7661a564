"""Groups that have more or less of something at one time than at another: "which stores made less
revenue in 2025 than in 2024", "products whose sales fell from May to June"."""

from __future__ import annotations

import re
from datetime import date
from functools import partial

from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query.frames.compared import compared, range_of, without_times
from dbt_t2s.query.frames.frame import Frame, the_measure, tidy
from dbt_t2s.query.plan import (
    MINUS,
    Arithmetic,
    Bucket,
    Col,
    Compare,
    During,
    Only,
    Plan,
    Range,
    Time,
)

_HELD = "\x00"  # stands for a period
_LEAD = (
    r"^(?:(?P<many>how\s+many|(?:the\s+)?number\s+of)\s+|(?:which|what|list|name|show(?:\s+me)?|"
    r"give\s+me|find|names?\s+of)\s+)?(?:(?:all|the|our|of)\s+)*"
)
_DID = (
    r"(?:made|had|have|has|sold|generated|brought\s+in|earned|took|received|got|did|placed|ordered|"
    r"recorded|saw|spent|bought|cost|produced|booked)"
)
_MORE = r"(?P<more>more|higher|greater|better)|(?:less|fewer|lower|smaller|worse)"
_IN = r"(?:(?:in|during|for)\s+)?(?:the\s+)?"
_LESS_OR_MORE = re.compile(
    rf"{_LEAD}(?P<g>[^?\x00]+?)\s+(?:(?:that|who|which)\s+)?(?P<verb>{_DID})\s+(?:{_MORE})"
    rf"(?:\s+(?P<m>(?!(?:in|during|for|the)\b)[^?\x00]+?))?\s+{_IN}\x00[^\x00]*\bthan\b\s*{_IN}\x00?\s*[?.]?\s*$",
    re.IGNORECASE,
)
_UP = r"(?P<more>grew|grown|rose|risen|increased|improved|went\s+up|gone\s+up)"
_DOWN = r"(?:fell|fallen|declined|dropped|decreased|shrank|shrunk|went\s+down|gone\s+down)"
_WHOSE = re.compile(
    rf"{_LEAD}(?P<g>[^?\x00]+?)(?:['’]s?|\s+(?:whose|had\s+their|saw\s+their))\s+(?P<m>[^?\x00]+?)\s+"
    rf"(?:(?:has|have)\s+)?(?:{_UP}|{_DOWN})\b[^?]*\x00[^?]*\??\s*$",
    re.IGNORECASE,
)
# What is sold, made or spent where no noun says it.
_BY_VERB = {
    **dict.fromkeys(("earned", "made", "generated"), "revenue"),
    **dict.fromkeys(("ordered", "bought"), "orders"),
    "spent": "spend",
    "sold": "sales",
    "cost": "cost",
}


def changed(text: str, today: date, fiscal: FiscalYear | None) -> Frame | None:
    """Groups picked by what they have more or less of at the later time, or at the earlier one."""
    times = compared(text, today, fiscal)
    if times.earlier is None or times.later is None:
        return None
    held = re.sub(r"\s+", " ", without_times(text, times.periods, _HELD))
    one_gone = held if times.both else held.replace(_HELD, f"{_HELD} than", 1)
    found = _LESS_OR_MORE.search(one_gone) or _WHOSE.search(held)
    if found is None:
        return None
    said = found.groupdict()
    measured = tidy(said.get("m") or _BY_VERB.get((said.get("verb") or "").lower(), ""))
    if not measured:
        return None
    if said.get("m") and (said.get("verb") or "").lower() == "sold":
        measured += " sold"  # units sold are no units in stock
    first = min(times.periods, key=lambda period: period.start)
    # "More in 2024 than in 2025" is said of the earlier one; growth always of the later.
    of_later = first.first == times.later[0] or "verb" not in said
    core = f"{measured} by {tidy(found['g'])}"
    spans = (range_of(times.later), range_of(times.earlier))
    one, other = spans if of_later else spans[::-1]
    operator = "GT" if found["more"] else "LT"
    made = partial(_around, one=one, other=other, operator=operator, counted=bool(said["many"]))
    return Frame(core, made, surely=True)


def _around(plan: Plan, one: Range, other: Range, operator: str, counted: bool) -> Plan | None:
    """The plan of each group's figure, as the groups with more or less of it, or their number."""
    measure = the_measure(plan)
    groups = tuple(each for each in plan.select if isinstance(each, Col))
    dated = any(isinstance(each, During) for each in plan.where)
    cut = any(isinstance(each, Bucket) for each in plan.select)
    if measure is None or not groups or dated or cut or plan.having or plan.limit or plan.per:
        return None
    now, then = (Only(measure, During(Time(), span)) for span in (one, other))
    more = Compare(operator, Arithmetic(MINUS, now, then), "0")
    return Plan(groups, plan.where, (more,), counted=counted)
