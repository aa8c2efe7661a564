"""How a hub model is trained and asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from dbt_t2s.errors import ModelError

METHODS = ("lora", "qlora", "full")
CONTEXTS = ("none", "retrieved", "full")
LANGUAGES = ("sql", "plan")
_RATES = {"lora": 5e-4, "qlora": 5e-4, "full": 5e-5}


@dataclass(frozen=True)
class HubSettings:
    """The defaults suit models of 0.5 to 3 billion parameters.

    ``method`` is what is trained: low-rank adapters (``lora``; ``qlora`` over weights of four
    bits) or ``full``, every weight. ``schema_context`` is what a prompt tells of the schema:
    ``none``, what the question needs in at most ``schema_tokens`` tokens (``retrieved``), or all
    of it (``full``). ``answers`` is the language that the model writes: ``sql``, or a ``plan`` in
    the grammar of the embedded model, which this package turns into SQL.

    ``learning_rate`` is the highest, by default one that suits the method. ``batch`` is the
    effective batch and ``micro_tokens`` the tokens of it that are in memory at once. ``packing``
    puts rows one behind the other instead of padding rows of like length; by default on CUDA
    alone, as attention over all that is packed costs a CPU more than the little padding.
    ``checkpointing`` of activations trades time for memory; by default memory decides.

    The dev rows, at most ``dev_rows``, are answered ``evaluations`` times while training, for at
    most ``dev_share`` of its time; it stops when ``patience`` of them in a row were no better.
    """

    method: str = "lora"
    schema_context: str = "retrieved"
    answers: str = "sql"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    learning_rate: float | None = None
    batch: int = 16
    passes: float = 3.0
    schema_tokens: int = 2000
    max_tokens: int = 2816
    max_answer: int = 320
    micro_tokens: int = 4096
    packing: bool | None = None
    checkpointing: bool | None = None
    checkpoint_steps: int = 50
    checkpoint_seconds: float = 120.0
    evaluations: int = 4
    patience: int = 2
    dev_rows: int = 64
    dev_share: float = 0.1
    report_to: tuple[str, ...] = ()

    @property
    def peak_rate(self) -> float:
        """The highest learning rate."""
        return _RATES[self.method] if self.learning_rate is None else self.learning_rate

    @property
    def trains_adapter(self) -> bool:
        return self.method != "full"


def settings_from(record: Mapping[str, object]) -> HubSettings:
    """Settings as they were written; ValueError where they are of another version."""
    known = {field.name for field in fields(HubSettings)}
    if set(record) - known:
        raise ValueError(f"unknown settings {sorted(set(record) - known)}")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
    return checked(HubSettings(**values))  # type: ignore[arg-type]


def checked(settings: HubSettings) -> HubSettings:
    """The settings, if every choice in them is one that there is; else ModelError."""
    for name, value, known in (
        ("method", settings.method, METHODS),
        ("schema_context", settings.schema_context, CONTEXTS),
        ("answers", settings.answers, LANGUAGES),
    ):
        if value not in known:
            flag = "--" + name.replace("_", "-")
            raise ModelError(
                f"{value!r} is no {name.replace('_', ' ')} of hub models",
                where=f"{flag} {value}",
                hint=f"{flag} {' or '.join(known)}",
            )
    return settings
