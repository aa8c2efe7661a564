"""Candidates whose results are the same are one answer, as likely as all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dbt_t2s.duck import Execute, Rows
from dbt_t2s.judge.compare import compare
from dbt_t2s.model.generate import Candidate


def agreed(candidates: Sequence[Candidate], execute: Execute) -> tuple[Candidate, ...]:
    """The candidates that give different results, likeliest first: each is the likeliest of those
    that give its result, with their confidences added up.

    Results that hold no value are no evidence: any two wrong filters agree in these.
    """
    groups: list[tuple[Candidate, Rows | None]] = []
    for candidate in candidates:
        result = _result(candidate.sql, execute) if len(candidates) > 1 else None
        place = next((i for i, (_, rows) in enumerate(groups) if _same(rows, result)), None)
        if place is None:
            groups.append((candidate, result))
        else:
            first, rows = groups[place]
            sure = min(1.0, first.confidence + candidate.confidence)
            groups[place] = (replace(first, confidence=sure), rows)
    return tuple(sorted((first for first, _ in groups), key=lambda each: -each.confidence))


def _result(sql: str, execute: Execute) -> Rows | None:
    """The rows; None for a refusal, for what fails and for what says nothing."""
    found = execute(sql) if sql.strip() else None
    if not isinstance(found, Rows) or found.truncated:
        return None
    return found if any(value is not None for row in found.rows for value in row) else None


def _same(one: Rows | None, other: Rows | None) -> bool:
    if one is None or other is None:
        return False
    return compare(one, other, ordered=False).equal
