"""Artefacts on disk: dataclass ↔ JSON and rows ↔ Parquet, whole or not at all.

Every artefact carries a header: what it holds, the format and the shape it was written with, the
fingerprint of its content, and the fingerprints of what it was made from. Files are written to a
temporary name beside the target, flushed to the disk and renamed, so that a reader meets the old
artefact or the new one and never half of one.
"""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dbt_t2s import __version__
from dbt_t2s.codec import (
    CodecError,
    decode,
    encode,
    field_types,
    fingerprint,
    fingerprint_of_json,
    scalar_of,
    shape,
)
from dbt_t2s.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "FORMAT",
    "Header",
    "fingerprint",
    "lock",
    "read_header",
    "read_json",
    "read_rows",
    "replace_directory",
    "write_bytes",
    "write_json",
    "write_rows",
    "write_text",
]

FORMAT = 1
HEADER_KEY = "t2s"
TEMPORARY = ".t2s-tmp"
OLD = ".old"
T = TypeVar("T")

# Characters of JSON.
_LARGE = 1_000_000

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True)
class Header:
    """What an artefact is, and what it was made from (name, fingerprint)."""

    kind: str
    format: int
    shape: str
    fingerprint: str
    inputs: tuple[tuple[str, str], ...] = ()
    version: str = ""

    def matches(self, inputs: Mapping[str, str]) -> bool:
        """Whether the artefact was made from exactly these inputs."""
        return dict(self.inputs) == dict(inputs)


def write_json(path: Path, value: object, inputs: Mapping[str, str] | None = None) -> Header:
    """Writes a dataclass; its fields stay at the top level, beside the header."""
    content = encode(value, type(value))
    if not isinstance(content, dict):
        raise TypeError(f"{type(value).__name__} is not a dataclass")
    header = _header(type(value), fingerprint_of_json(content), inputs)
    # The header has a line of its own, so that it can be read without the rest.
    head = _json({HEADER_KEY: encode(header, Header)})
    joined = f"{head[:-1]},\n{_body(content)[1:].lstrip()}" if content else head
    write_text(path, joined + "\n")
    return header


def _body(content: dict[str, Any]) -> str:
    """An object for people to read; a large one with one line for each entry of its lists.

    Indenting a large one would take longer than all else.
    """
    compact = {name: _json(each) for name, each in content.items()}
    if sum(map(len, compact.values())) < _LARGE:
        return json.dumps(content, ensure_ascii=False, indent=1)
    lines = {
        name: "[\n " + ",\n ".join(map(_json, each)) + "\n]"
        for name, each in content.items()
        if isinstance(each, list) and each
    }
    fields = (f"{_json(name)}: {text}" for name, text in {**compact, **lines}.items())
    return "{" + ",\n".join(fields) + "\n}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def read_json(path: Path, cls: type[T], *, hint: str = "") -> T:
    """Reads what ``write_json`` wrote; StoreError if it is missing, torn, old or edited."""
    text = _read_bytes(path, hint).decode("utf-8", errors="replace")
    try:
        content = json.loads(text)
    except ValueError as error:
        raise _torn(path, hint) from error
    if not isinstance(content, dict) or HEADER_KEY not in content:
        raise _torn(path, hint)
    header = _decoded_header(path, content.pop(HEADER_KEY), hint)
    _check_header(path, header, cls, hint)
    if fingerprint_of_json(content) != header.fingerprint:
        raise StoreError(
            f"{path.name} was changed after dbt-t2s wrote it", where=str(path), hint=_again(hint)
        )
    try:
        return decode(content, cls)
    except CodecError as error:
        raise StoreError(f"{path.name}: {error}", where=str(path), hint=_again(hint)) from error


def write_rows(
    path: Path, rows: Sequence[object], cls: type, inputs: Mapping[str, str] | None = None
) -> Header:
    """Writes flat dataclasses of one class as Parquet, a column per field."""
    import pyarrow.parquet as pq

    content = [encode(row, cls) for row in rows]
    header = _header(cls, fingerprint_of_json(content), inputs)
    metadata = {HEADER_KEY: json.dumps(encode(header, Header))}
    table = _arrow_table(content, cls).replace_schema_metadata(metadata)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_bytes(path, buffer.getvalue())
    return header


def read_rows(path: Path, cls: type[T], *, hint: str = "") -> tuple[T, ...]:
    """Reads what ``write_rows`` wrote; StoreError if it is missing, torn or old."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = _read_bytes(path, hint)
    try:
        # In this thread: Arrow's own can outlive the interpreter and abort it (apache/arrow#34314).
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise _torn(path, hint) from error
    header = _parquet_header(path, table.schema.metadata, hint)
    _check_header(path, header, cls, hint)
    nested = _nested_fields(cls)
    try:
        return tuple(
            decode({k: json.loads(v) if k in nested else v for k, v in row.items()}, cls)
            for row in table.to_pylist()
        )
    except (CodecError, ValueError) as error:
        raise StoreError(f"{path.name}: {error}", where=str(path), hint=_again(hint)) from error


def read_header(path: Path) -> Header | None:
    """The header of an artefact, read without its content; None if it cannot be used.

    An artefact that is missing, torn or from another format is simply to be made again, so this is
    a question and not an error.
    """
    try:
        if path.suffix == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            try:
                metadata = pq.read_schema(path).metadata
            except (pa.ArrowException, OSError):
                return None
            header = _parquet_header(path, metadata, "")
        else:
            with path.open(encoding="utf-8") as file:
                first = file.readline().rstrip().removesuffix(",")
            if not first.endswith("}}"):
                first += "}"
            header = _decoded_header(path, json.loads(first)[HEADER_KEY], "")
    except (OSError, ValueError, KeyError, TypeError, StoreError):
        return None
    return header if header.format == FORMAT else None


def has_shape(header: Header, cls: type) -> bool:
    """Whether an artefact was written with the fields that ``cls`` has today."""
    return header.shape == shape(cls)


def write_text(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise write_failure(path, error) from error


@contextmanager
def replace_directory(path: Path) -> Iterator[Path]:
    """Gives an empty directory to fill; when the block ends well it becomes ``path``.

    If the block fails, ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    old = path.with_name(f".{path.name}.{os.getpid()}{OLD}{TEMPORARY}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync(file)
        if path.exists():
            path.replace(old)
        temporary.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise write_failure(path, error) from error
    finally:
        _restore(old, path)
        shutil.rmtree(temporary, ignore_errors=True)


def write_failure(path: Path, error: OSError) -> StoreError:
    """The one message for a write that failed: what, where, and what to do."""
    if error.errno in _NO_ROOM:
        return StoreError(
            f"no room on the disk to write {path.name}; nothing was changed",
            where=str(path),
            hint="free some space (`df -h`), then run the same command again",
        )
    if error.errno in _NO_RIGHT:
        return StoreError(
            f"not allowed to write {path.name}",
            where=str(path),
            hint="make the folder writable, or choose another with --target-path",
        )
    return StoreError(
        f"cannot write {path.name}: {error.strerror or error}",
        where=str(path),
        hint="choose another folder with --target-path",
    )


@contextmanager
def lock(folder: Path, doing: str) -> Iterator[None]:
    """Holds the artefact folder for one writer; the system lets go if the process is killed."""
    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise write_failure(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise StoreError(
                f"another dbt-t2s is writing here: {holder}",
                where=str(folder),
                hint="wait for it to end, or use another --target-path",
            ) from error
        file.seek(0)
        file.truncate()
        file.write(f"dbt-t2s {doing}, process {os.getpid()}")
        file.flush()
        _remove_leftovers(folder)
        yield
        file.seek(0)
        file.truncate()


def _remove_leftovers(folder: Path) -> None:
    """Removes what a killed writer left; only the holder of the lock may call this."""
    for path in folder.rglob(f".*{TEMPORARY}"):
        if path.name.endswith(OLD + TEMPORARY):
            name = path.name.removesuffix(OLD + TEMPORARY)[1:].rpartition(".")[0]
            _restore(path, path.with_name(name))
        elif path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _restore(old: Path, path: Path) -> None:
    """Puts the old directory back if the new one never took its place, else removes it."""
    if old.exists() and not path.exists():
        old.replace(path)
    shutil.rmtree(old, ignore_errors=True)


def _header(cls: type, content: str, inputs: Mapping[str, str] | None) -> Header:
    return Header(
        kind=cls.__name__,
        format=FORMAT,
        shape=shape(cls),
        fingerprint=content,
        inputs=tuple(sorted((inputs or {}).items())),
        version=__version__,
    )


def _read_bytes(path: Path, hint: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise StoreError(f"there is no {path.name} yet", where=str(path), hint=hint) from error
    except OSError as error:
        raise StoreError(
            f"cannot read {path.name}: {error.strerror or error}", where=str(path), hint=hint
        ) from error


def _again(hint: str) -> str:
    return hint or f"delete it and run the verb that makes it again, e.g. {'`dbt-t2s train`'}"


def _torn(path: Path, hint: str) -> StoreError:
    return StoreError(
        f"{path.name} is cut short or is not an artefact of dbt-t2s",
        where=str(path),
        hint=_again(hint),
    )


def _decoded_header(path: Path, raw: object, hint: str) -> Header:
    try:
        return decode(raw, Header)
    except CodecError as error:
        raise _torn(path, hint) from error


def _parquet_header(path: Path, metadata: Mapping[bytes, bytes] | None, hint: str) -> Header:
    raw = (metadata or {}).get(HEADER_KEY.encode())
    if raw is None:
        raise _torn(path, hint)
    return _decoded_header(path, json.loads(raw), hint)


def _check_header(path: Path, header: Header, cls: type, hint: str) -> None:
    if header.kind != cls.__name__:
        raise StoreError(
            f"{path.name} holds {header.kind}, not {cls.__name__}",
            where=str(path),
            hint=_again(hint),
        )
    if header.format != FORMAT or not has_shape(header, cls):
        raise StoreError(
            f"{path.name} was written by another version of dbt-t2s "
            f"({header.version}; this is {__version__})",
            where=str(path),
            hint=_again(hint),
        )


def _arrow_table(content: Sequence[Any], cls: type) -> pa.Table:
    """A column per field: scalars and lists of scalars as such, anything else as JSON text."""
    import pyarrow as pa

    nested = _nested_fields(cls)
    columns = {}
    for name, hint in field_types(cls).items():
        values = [row[name] for row in content]
        if name in nested:
            values = [json.dumps(value, ensure_ascii=False) for value in values]
        elif scalar_of(hint)[0] is float:
            values = [_unspelled(value) for value in values]
        columns[name] = pa.array(values, type=_arrow_type(hint))
    return pa.table(columns)


def _unspelled(value: Any) -> Any:
    """JSON has no infinities, so they are spelled there; Parquet has them."""
    if isinstance(value, list):
        return [_unspelled(each) for each in value]
    return float(value) if isinstance(value, str) else value


def _arrow_type(hint: Any) -> pa.DataType:
    import pyarrow as pa

    scalars = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    item, is_list = scalar_of(hint)
    if item is None:
        return pa.string()
    return pa.list_(scalars[item]) if is_list else scalars[item]


def _nested_fields(cls: type) -> frozenset[str]:
    return frozenset(n for n, hint in field_types(cls).items() if scalar_of(hint)[0] is None)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    # Some file systems do not sync directories; the rename itself is still atomic.
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
