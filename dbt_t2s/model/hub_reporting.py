"""What a training run reports to trackers, by the names that transformers has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerControl, TrainerState, TrainingArguments
from transformers.integrations.integration_utils import (
    get_reporting_integration_callbacks,
)

from dbt_t2s.errors import ModelError


class Reporter:
    """Sends numbers to tensorboard, wandb, mlflow or what else transformers knows; to nothing
    where no name is given."""

    def __init__(self, names: Sequence[str], folder: Path, model: Any = None) -> None:
        self._callbacks: list[Any] = []
        if not names:
            return
        self._arguments = TrainingArguments(output_dir=str(folder), report_to=list(names))
        self._state, self._control = TrainerState(), TrainerControl()
        try:
            self._callbacks = _callbacks(names)
            self._tell("on_train_begin", model=model)
        except (ImportError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"a run cannot be reported: {str(error).splitlines()[0][:300]}",
                where=f"report_to {', '.join(names)}",
                hint="install that package, or leave report_to out",
            ) from error

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Numbers after a step."""
        if self._callbacks:
            self._state.global_step = step
            self._tell("on_log", logs=dict(numbers))

    def close(self) -> None:
        """The run is over."""
        if self._callbacks:
            self._tell("on_train_end")

    def _tell(self, event: str, **more: Any) -> None:
        for each in self._callbacks:
            getattr(each, event)(self._arguments, self._state, self._control, **more)


def _callbacks(names: Sequence[str]) -> list[Any]:
    found: Any = get_reporting_integration_callbacks
    return [made() for made in found(list(names))]
