"""What a trained model was made from: the record beside its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dbt_t2s import __version__
from dbt_t2s.errors import ModelError

FILE = "record.json"
FORMAT = 2


@dataclass(frozen=True)
class ModelRecord:
    """``kind`` is embedded or hub; ``schema`` and ``dataset`` are fingerprints.

    ``metrics`` are (name, value) pairs measured in training; ``refuse_over`` is the probability
    of a refusal above which the embedded model refuses.
    """

    kind: str
    base: str
    schema: str
    dataset: str
    seed: int
    steps: int
    examples: int
    seconds: float
    metrics: tuple[tuple[str, float], ...] = ()
    refuse_over: float = 0.5
    version: str = __version__
    format: int = FORMAT


def write_record(model_dir: Path, record: ModelRecord) -> None:
    """Write the record last: a folder with one is a whole model."""
    temporary = model_dir / f".{FILE}.tmp"
    temporary.write_text(json.dumps(asdict(record), indent=2) + "\n")
    temporary.replace(model_dir / FILE)


def read_record(model_dir: Path) -> ModelRecord:
    """The record in ``model_dir``; ModelError where there is none or it is of another version."""
    path = model_dir / FILE
    hint = "dbt-t2s train"
    if not path.is_file():
        raise ModelError("there is no trained model yet", where=str(model_dir), hint=hint)
    try:
        found = json.loads(path.read_text())
        if found.get("format") != FORMAT:
            raise ModelError(
                f"the model was trained by another version ({found.get('version', 'unknown')})",
                where=str(path),
                hint=f"{hint} --fresh",
            )
        found["metrics"] = tuple((name, value) for name, value in found["metrics"])
        return ModelRecord(**found)
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise ModelError(
            "the model's record cannot be read", where=str(path), hint=f"{hint} --fresh"
        ) from error
