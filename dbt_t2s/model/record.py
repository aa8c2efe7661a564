"""What a trained model was made from: the record beside its weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dbt_t2s import __version__
from dbt_t2s.errors import ModelError
from dbt_t2s.model import shipped

FILE = "record.json"
NETWORK = "network"
# The tokens of the embedded model's schema items, in the order of its residual vectors.
ITEMS_FILE = "items.json"
FORMAT = 5


@dataclass(frozen=True)
class ModelRecord:
    """``kind`` is embedded or hub; ``schema`` and ``dataset`` are fingerprints.

    ``metrics`` are (name, value) pairs measured in training; ``refuse_over`` is the probability
    of a refusal above which the embedded model refuses; ``reader`` stamps the shipped reader of
    questions that it was trained with.
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
    reader: str = ""
    version: str = __version__
    format: int = FORMAT


def write_record(model_dir: Path, record: ModelRecord) -> None:
    """Write the record last: a folder with one is a whole model."""
    temporary = model_dir / f".{FILE}.tmp"
    temporary.write_text(json.dumps(asdict(record), indent=2) + "\n")
    temporary.replace(model_dir / FILE)


def write_items(model_dir: Path, tokens: Sequence[str]) -> None:
    """What each of the model's residual vectors is of."""
    (model_dir / ITEMS_FILE).write_text(json.dumps(list(tokens)) + "\n")


def replace_folder(folder: Path, save: Callable[[Path], object]) -> None:
    """Save into a new folder beside ``folder``, then put it in its place."""
    made, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for each in (made, old):
        shutil.rmtree(each, ignore_errors=True)
    save(made)
    if folder.exists():
        folder.rename(old)
    made.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


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
        record = ModelRecord(**found)
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise ModelError(
            "the model's record cannot be read", where=str(path), hint=f"{hint} --fresh"
        ) from error
    if record.kind == "embedded" and record.reader != shipped.stamp(shipped.READER):
        raise ModelError(
            "the model was trained with other weights than this dbt-t2s ships",
            where=str(path),
            hint=hint,
        )
    return record


def files_of(model_dir: Path) -> tuple[tuple[str, int, int], ...]:
    """Which files the model is (name, bytes, time), so that another one under the same settings is
    seen."""
    files = sorted(path for path in model_dir.rglob("*") if path.is_file())
    return tuple(
        (str(path.relative_to(model_dir)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
    )
