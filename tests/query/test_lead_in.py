"""What looks back begins with what lies before."""

from __future__ import annotations

import pytest

from dbt_t2s.query.lead_in import led_in
from dbt_t2s.query.linear import from_tokens, to_tokens

_CHANGE = "TIME CHANGE m:revenue WHERE"


@pytest.mark.parametrize(
    ("tokens", "longer"),
    [
        (f"MONTH {_CHANGE} d:2025-01-01/2026-01-01 END", "d:2024-12-01/2026-01-01"),
        (f"QUARTER {_CHANGE} d:2025-04-01/ END", "d:2025-01-01/"),
        (f"YEAR {_CHANGE} d:2025-01-01/2026-01-01 END", "d:2024-01-01/2026-01-01"),
        (f"WEEK {_CHANGE} d:2025-03-03/2025-03-31 END", "d:2025-02-24/2025-03-31"),
        (f"DAY {_CHANGE} d:2025-03-01/2025-04-01 END", "d:2025-02-28/2025-04-01"),
        ("MONTH TIME ROLLING_AVG n:3 m:revenue WHERE d:2025-03-01/ END", "d:2025-01-01/"),
        ("MONTH TIME CHANGE_OVER n:12 m:revenue WHERE d:2025-03-01/ END", "d:2024-03-01/"),
        (
            "MONTH TIME DIV CHANGE m:revenue m:orders WHERE d:2025-03-01/ END",
            "d:2025-02-01/",
        ),
    ],
)
def test_the_time_begins_so_much_earlier(tokens: str, longer: str) -> None:
    plan = from_tokens(tokens.split())
    assert plan is not None
    led = led_in(plan)
    assert led is not None
    said = next(token for token in tokens.split() if token.startswith("d:"))
    assert to_tokens(led.plan) == tuple(tokens.replace(said, longer).split())
    assert led.start.isoformat() == said[2:12]


@pytest.mark.parametrize(
    "tokens",
    [
        "MONTH TIME m:revenue WHERE d:2025-01-01/ END",
        "MONTH TIME RUNNING m:revenue WHERE d:2025-01-01/ END",
        f"MONTH {_CHANGE} d:/2025-01-01 END",
        f"MONTH {_CHANGE} d:2025-01-15/ END",
        f"WEEK {_CHANGE} d:2025-03-04/ END",
        f"MONTH {_CHANGE} ON c:orders.paid_on d:2025-01-01/ END",
        "MONTH TIME CHANGE m:revenue END",
    ],
)
def test_all_else_begins_where_it_says(tokens: str) -> None:
    plan = from_tokens(tokens.split())
    assert plan is not None
    assert led_in(plan) is None
