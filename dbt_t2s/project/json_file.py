"""One of dbt's JSON artifacts on disk: read as what it should be, or refused with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt_t2s.errors import ProjectError
from dbt_t2s.project.schema import Issue, Level

# Python takes five times as much memory as the file. dbt writes 10 to 30 kB a model, so that this
# is some 50,000 models.
MAX_BYTES = 1 << 30
# dbt itself nests 10 deep; what people nest in meta comes on top.
MAX_DEPTH = 100

_SHOWN = 3
_LOW = r"[dD][c-fC-F][0-9a-fA-F]{2}"
_HIGH = r"[dD][89abAB][0-9a-fA-F]{2}"
_SURROGATE = re.compile(rf"(\\+)u(?:({_HIGH}\\u{_LOW})|{_HIGH}|{_LOW})")
_KIND = re.compile(r"/dbt/([a-z-]+)/v\d+\.json")


@dataclass(frozen=True)
class ArtifactFile:
    """What one artifact is called, which dbt command writes it and how its sections are shaped.

    ``mappings`` are sections that map names to mappings, ``lists`` those that list mappings.
    """

    kind: str
    command: str
    mappings: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.kind.replace("-", "_") + ".json"


MANIFEST = ArtifactFile(
    "manifest",
    "dbt parse",
    mappings=(
        *("nodes", "sources", "macros", "docs", "exposures", "metrics", "groups"),
        *("semantic_models", "saved_queries", "unit_tests"),
    ),
)
CATALOG = ArtifactFile("catalog", "dbt docs generate", mappings=("nodes", "sources"))
SEMANTIC_MANIFEST = ArtifactFile(
    "semantic-manifest", "dbt parse", lists=("semantic_models", "metrics", "saved_queries")
)
RUN_RESULTS = ArtifactFile("run-results", "dbt build", lists=("results",))


def load(folder: Path, file: ArtifactFile) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    """The file's object and what was left out of it; empty when there is no such file.

    Of a key that is there twice the last counts, as in every JSON reader. ProjectError for what is
    no regular file, too large, no JSON, no object, nested too deeply or another kind of artifact.
    """
    path = folder / file.name
    if not path.exists():
        return {}, ()
    _check_size(path, file)
    try:
        found = _parsed(_raw(path))
        _check(found, file)
    except _Unusable as reason:
        raise ProjectError(str(reason), where=str(path), hint=file.command) from reason
    issues: list[Issue] = []
    for names, tidied in ((file.mappings, _mapping), (file.lists, _listing)):
        for name in names:
            if found.get(name) is not None:
                found[name], wrong = tidied(found[name])
                message = f"{name} {wrong}, left out"
                issues += [Issue(Level.WARNING, file.name, message, file.command)] * bool(wrong)
    return found, tuple(issues)


class TooLargeError(ProjectError):
    """The file is more than is read, and dbt would write it again as large."""


class _Unusable(Exception):
    """Why a file cannot be used."""


def _check_size(path: Path, file: ArtifactFile) -> None:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise TooLargeError(
            f"it is {size / 2**30:.1f} GiB; no more than {MAX_BYTES / 2**30:g} GiB is read",
            where=str(path),
            hint=f"leave out packages that nobody needs, then {file.command}",
        )


def _raw(path: Path) -> bytes:
    if not path.is_file():  # reading a pipe would wait for ever
        raise _Unusable("it is no regular file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise _Unusable(f"cannot read it: {error.strerror}") from error
    except MemoryError as error:
        raise _Unusable("it does not fit into memory") from error


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(_text(raw))
    except ValueError as error:  # not JSON, or not Unicode
        if not raw.strip():
            raise _Unusable("it is empty") from error
        raise _Unusable(f"it is cut short or not JSON ({error})") from error
    except RecursionError as error:
        raise _Unusable("it is nested too deeply") from error
    except MemoryError as error:
        raise _Unusable("it does not fit into memory") from error


def _text(raw: bytes) -> str:
    """The JSON with U+FFFD for halves of surrogate pairs: nothing that holds one can be written."""
    text = raw.decode(json.detect_encoding(raw), "surrogatepass")
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    escaped = "\\ud" in text or "\\uD" in text  # looking for the pattern takes as long as parsing
    return _SURROGATE.sub(_whole, text) if escaped else text


def _whole(found: re.Match[str]) -> str:
    """The escape as it is, or U+FFFD's: after an even number of backslashes it is none."""
    slashes, pair = found.groups()
    return found.group() if pair or len(slashes) % 2 == 0 else f"{slashes}ufffd"


def _check(found: Any, file: ArtifactFile) -> None:
    if not isinstance(found, dict):
        raise _Unusable("it holds no JSON object")
    if _is_deep(found):
        raise _Unusable(f"it is nested too deeply: over {MAX_DEPTH} levels")
    metadata = found.get("metadata")
    version = metadata.get("dbt_schema_version") if isinstance(metadata, dict) else None
    kind = _KIND.search(version) if isinstance(version, str) else None
    if kind is not None and kind.group(1) != file.kind:
        raise _Unusable(f"it is another artifact: {kind.group(1)}, not {file.kind}")


def _is_deep(found: Any) -> bool:
    """Whether some value lies deeper than what reads it by recursion can go."""
    level = [found]
    for _ in range(MAX_DEPTH):
        level = [
            value
            for each in level
            for value in (each.values() if type(each) is dict else each)
            if type(value) is dict or type(value) is list
        ]
        if not level:
            return False
    return True


def _mapping(section: Any) -> tuple[dict[str, Any], str]:
    """The entries that are mappings, and what is wrong with the others."""
    if not isinstance(section, dict):
        return {}, f"is {_shape(section)} and no mapping"
    kept = {name: each for name, each in section.items() if isinstance(each, dict)}
    # Names may hold anything: as Python writes them, a terminal takes no orders from them.
    return kept, _wrong([repr(name[:80]) for name in section if name not in kept])


def _listing(section: Any) -> tuple[list[Any], str]:
    """The entries that are mappings, and what is wrong with the others."""
    if not isinstance(section, list):
        return [], f"is {_shape(section)} and no list"
    places = [str(place) for place, each in enumerate(section) if not isinstance(each, dict)]
    return [each for each in section if isinstance(each, dict)], _wrong(places)


def _shape(section: Any) -> str:
    if isinstance(section, dict):
        return "a mapping"
    return "a list" if isinstance(section, list) else "a single value"


def _wrong(entries: Sequence[str]) -> str:
    if not entries:
        return ""
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    return f"holds what is no mapping: {', '.join(entries[:_SHOWN])}{more}"
