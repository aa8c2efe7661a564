"""Whether an artefact can be used as it is: made by this version, from these inputs, and whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from dbt_t2s import store
from dbt_t2s.errors import StoreError

T = TypeVar("T")


def content_of(path: Path) -> str:
    """The fingerprint of an artefact's content; empty if it cannot be used."""
    header = store.read_header(path)
    return header.fingerprint if header is not None else ""


def is_fresh(path: Path, cls: type, inputs: Mapping[str, str]) -> bool:
    header = store.read_header(path)
    return header is not None and store.has_shape(header, cls) and header.matches(inputs)


def usable(path: Path, cls: type[T], inputs: Mapping[str, str]) -> T | None:
    """The artefact if it was made from these inputs and can be read, else None: make it again."""
    if not is_fresh(path, cls, inputs):
        return None
    try:
        return store.read_json(path, cls)
    except StoreError:
        # Torn or edited: making it again is the remedy that the message would name.
        return None
