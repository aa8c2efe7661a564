"""Vectors of the words that a model's corpus had, so that whoever asks with them need not wait.

A word is read by the encoder in some five milliseconds, a question has six of them, and three in
four stand in the corpus.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from dbt_t2s.model.encoder import WEIGHTS

FILE = "words.safetensors"
_MOST = 10_000


def write(model_dir: Path, vectors: Mapping[str, np.ndarray]) -> None:
    """Keep the vectors (384,) of words, float32."""
    kept = dict(list(vectors.items())[:_MOST])
    if not kept:
        (model_dir / FILE).unlink(missing_ok=True)
        return
    about = {"words": json.dumps(list(kept)), "encoder": _encoder()}
    save_file({"vectors": np.stack(list(kept.values()))}, model_dir / FILE, metadata=about)


def read(model_dir: Path) -> dict[str, np.ndarray]:
    """What ``write`` kept; nothing where another encoder read them or the file cannot be used.

    Nothing is lost then but time: a word that is not known is read.
    """
    try:
        with safe_open(model_dir / FILE, "np") as held:
            about = held.metadata() or {}
            if about.get("encoder") != _encoder():
                return {}
            words, vectors = json.loads(about["words"]), held.get_tensor("vectors")
    except (OSError, ValueError, KeyError, SafetensorError):
        return {}
    return dict(zip(words, vectors, strict=False))


def _encoder() -> str:
    return (WEIGHTS / "SHA256SUMS").read_text()
