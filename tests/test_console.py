"""What a person sees of rows in a terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from dbt_t2s.console import Console


def shown(rows: list[list[object]]) -> str:
    out = io.StringIO()
    Console(out=out, err=io.StringIO()).table(("when", "n"), rows)
    return out.getvalue()


def test_times_all_at_midnight_are_shown_as_days() -> None:
    text = shown([[datetime(2025, 1, 1), 1], [None, 2], [datetime(2025, 2, 1, tzinfo=UTC), 3]])
    assert "2025-01-01" in text
    assert "2025-02-01" in text
    assert "00:00" not in text


def test_one_other_time_keeps_them_all() -> None:
    text = shown([[datetime(2025, 1, 1), 1], [datetime(2025, 2, 1, 13, 30), 2]])
    assert "2025-01-01 00:00:00" in text
    assert "2025-02-01 13:30:00" in text


def test_no_rows_have_no_days() -> None:
    assert "when" in shown([])
