"""Vectors of a schema's texts and of its corpus' words, so that whoever asks need not wait.

The encoder reads a text in some five milliseconds. A schema of thirty tables has fifteen hundred
texts; a question has six words, and three in four of them stand in the corpus.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from dbt_t2s.model.encoder import HIDDEN, WEIGHTS

FILE = "vectors.safetensors"
_MOST = 10_000  # of each sort


@dataclass(frozen=True)
class KnownVectors:
    """Vectors (384,), float32, of a schema's ``texts`` and of ``words`` that questions had."""

    texts: Mapping[str, np.ndarray] = field(default_factory=dict)
    words: Mapping[str, np.ndarray] = field(default_factory=dict)


_SORTS = tuple(each.name for each in fields(KnownVectors))


def write(model_dir: Path, known: KnownVectors) -> None:
    """Keep the vectors beside a model; the first 10,000 of each sort."""
    kept = {sort: dict(islice(getattr(known, sort).items(), _MOST)) for sort in _SORTS}
    about = {sort: json.dumps(list(kept[sort])) for sort in _SORTS}
    tensors = {
        sort: np.stack(list(each.values())) if each else np.zeros((0, HIDDEN), dtype=np.float32)
        for sort, each in kept.items()
    }
    save_file(tensors, model_dir / FILE, metadata={**about, "encoder": _encoder()})


def read(model_dir: Path) -> KnownVectors:
    """What ``write`` kept; nothing where another encoder read them or the file cannot be used.

    Nothing is lost then but time: a text that is not known is read.
    """
    try:
        return KnownVectors(**dict(_read(model_dir / FILE)))
    except (OSError, ValueError, KeyError, SafetensorError):
        return KnownVectors()


def _read(path: Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    with safe_open(path, "np") as held:
        about = held.metadata() or {}
        if about["encoder"] != _encoder():
            return
        for sort in _SORTS:
            yield sort, dict(zip(json.loads(about[sort]), held.get_tensor(sort), strict=True))


def _encoder() -> str:
    return (WEIGHTS / "SHA256SUMS").read_text()
