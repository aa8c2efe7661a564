"""Stamps of the weights that the package ships for the embedded model: with others than it was
trained from, or is asked with, a model is another one."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "weights" / "plan"
READER = ("reader",)
LEARNED_FROM = ("model", *READER, "ranker")
ASKED_WITH = (*READER, "ranker", "ranking", "following")


@cache
def stamp(names: tuple[str, ...]) -> str:
    """Of the named files' content; one that is missing counts as empty (who reads it says so)."""
    digest = hashlib.sha256()
    for name in names:
        path = FOLDER / f"{name}.safetensors"
        content = path.read_bytes() if path.is_file() else b""
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]
