"""Puts answers, and what people say of them, into the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from dbt_t2s.serve.ask import Answer
from dbt_t2s.serve.log import Asked, QuestionLog, Said
from dbt_t2s.serve.masking import Masker
from dbt_t2s.serve.outbox import Outbox


@dataclass(frozen=True)
class Keeper:
    """The log of one project, and what is the same for all that this process puts there.

    ``model`` tells versions of the model apart, ``target`` is dbt's; ``outbox`` is where all of it
    waits for the warehouse, None where it is not to go there.
    """

    log: QuestionLog
    masker: Masker
    model: str
    target: str
    outbox: Outbox | None = None

    def keep(self, answer: Answer) -> Answer:
        """Logs the answer, without personal data, and gives it the id that it has there.

        T2SError where it cannot be kept.
        """
        kept = replace(answer, id=uuid4().hex)
        self._add(
            self.masker.asked(
                Asked(
                    id=kept.id,
                    logged_at=now(),
                    question=kept.question,
                    status=kept.status,
                    sql_text=kept.sql,
                    reason=kept.reason,
                    row_count=len(kept.rows),
                    latency_ms=round(kept.latency_ms, 1),
                    execution_ms=round(kept.execution_ms, 1),
                    confidence=round(kept.confidence, 4),
                    model=self.model,
                    target_name=self.target,
                )
            )
        )
        return kept

    def said_of(
        self, of: Asked, verdict: str, corrected: str = "", note: str = "", person: str = ""
    ) -> Said:
        """What somebody says of an answer, as it would be kept but for personal data."""
        return Said(
            id=uuid4().hex,
            recorded_at=now(),
            log_id=of.id,
            question=of.question,
            verdict=verdict,
            sql_text=of.sql_text,
            corrected_sql=corrected,
            note=note,
            person=person,
            target_name=self.target,
        )

    def say(self, said: Said) -> Said:
        """Logs it without personal data; T2SError where it cannot be kept."""
        masked = self.masker.said(said)
        self._add(masked)
        return masked

    def _add(self, entry: Asked | Said) -> None:
        self.log.add(entry)
        if self.outbox is not None:
            self.outbox.add(entry)


def now() -> str:
    """This moment in UTC as ISO text, to the microsecond: that orders what is kept."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
