"""Frozen dataclasses ↔ plain JSON values, led by the fields' types; and their fingerprints."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

# Which member of a union of dataclasses a JSON object is.
TAG = "is"

_SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class CodecError(ValueError):
    """A JSON value does not fit the type it should become."""


def fingerprint(value: object) -> str:
    """sha256 of the value's canonical JSON: equal values have equal fingerprints, always."""
    text = json.dumps(
        encode(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def encode(value: object, hint: Any = None) -> Any:
    """The JSON value of a dataclass, enum, tuple, mapping or scalar."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = field_types(type(value))
        content = {name: encode(getattr(value, name), each) for name, each in hints.items()}
        return {TAG: type(value).__name__, **content} if _needs_tag(hint) else content
    if isinstance(value, Enum):
        return encode(value.value)
    if isinstance(value, float) and not math.isfinite(value):
        return next(k for k, v in _SPELLED.items() if repr(v) == repr(value))
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        item = get_args(hint)[1] if len(get_args(hint)) == 2 else None
        return {str(key): encode(each, item) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [encode(each, _item_hint(hint, index)) for index, each in enumerate(value)]
    if isinstance(value, set | frozenset):
        return sorted((encode(each) for each in value), key=json.dumps)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"cannot store a {type(value).__name__}")


def decode(raw: object, cls: type[T]) -> T:
    """The value of type ``cls`` that ``raw`` stands for; CodecError if it is none."""
    return cast(T, _decode(raw, cls, cls.__name__))


def shape(cls: type) -> str:
    """A fingerprint of the fields and types of a dataclass and of all it is made of."""
    seen: dict[str, list[str]] = {}
    _collect_shape(cls, seen)
    return fingerprint(seen)[:16]


@cache
def field_types(cls: type) -> dict[str, Any]:
    """The resolved type of each field, in order."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def scalar_of(hint: Any) -> tuple[type | None, bool]:
    """(scalar type, whether it is a list of it); (None, False) for anything deeper."""
    inner = _without_none(hint)
    if get_origin(inner) is tuple:
        args = get_args(inner)
        if len(args) == 2 and args[1] is Ellipsis:
            return _scalar(args[0]), _scalar(args[0]) is not None
        return None, False
    return _scalar(inner), False


def _scalar(hint: Any) -> type | None:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return str if issubclass(hint, str) else None
    if hint in (date, datetime, time, Decimal, Path):
        return str
    return hint if hint in (str, int, float, bool) else None


def _decode(raw: object, hint: Any, where: str) -> Any:
    origin = get_origin(hint)
    if hint is Any or hint is object:
        return _frozen(raw)
    if origin in (Union, types.UnionType):
        return _decode_union(raw, hint, where)
    if origin is tuple:
        return _decode_tuple(raw, hint, where)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(raw, dict):
            raise CodecError(f"{where} should be an object")
        return {k: _decode(v, get_args(hint)[1], f"{where}.{k}") for k, v in raw.items()}
    if dataclasses.is_dataclass(hint):
        return _decode_dataclass(raw, cast(type, hint), where)
    return _decode_scalar(raw, hint, where)


def _decode_dataclass(raw: object, cls: type, where: str) -> Any:
    if not isinstance(raw, dict):
        raise CodecError(f"{where} should be an object")
    hints = field_types(cls)
    unknown = [key for key in raw if key not in hints and key != TAG]
    if unknown:
        raise CodecError(f"{where} has an unknown field {unknown[0]!r}")
    values = {k: _decode(v, hints[k], f"{where}.{k}") for k, v in raw.items() if k in hints}
    try:
        return cls(**values)
    except TypeError as error:
        raise CodecError(f"{where}: {error}") from error


def _decode_tuple(raw: object, hint: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(raw, list | tuple):
        raise CodecError(f"{where} should be a list")
    args = get_args(hint)
    if len(args) != 2 or args[1] is not Ellipsis:
        if len(args) != len(raw):
            raise CodecError(f"{where} should have {len(args)} entries, not {len(raw)}")
        return tuple(
            _decode(each, arg, f"{where}[{i}]")
            for i, (each, arg) in enumerate(zip(raw, args, strict=True))
        )
    return tuple(_decode(each, args[0], f"{where}[{i}]") for i, each in enumerate(raw))


def _decode_union(raw: object, hint: Any, where: str) -> Any:
    members = [arg for arg in get_args(hint) if arg is not type(None)]
    if raw is None and len(members) < len(get_args(hint)):
        return None
    if isinstance(raw, dict) and TAG in raw:
        for member in members:
            if getattr(member, "__name__", "") == raw[TAG]:
                return _decode(raw, member, where)
    failures = []
    # Exact scalar types first, so that 1 is an int where int and float are both allowed.
    for member in sorted(members, key=lambda each: type(raw) is not each):
        try:
            return _decode(raw, member, where)
        except CodecError as error:
            failures.append(str(error))
    raise CodecError("; ".join(failures) or f"{where} should not be null")


def _decode_scalar(raw: object, hint: Any, where: str) -> Any:
    if hint is float and isinstance(raw, str) and raw in _SPELLED:
        return _SPELLED[raw]
    if hint is float and isinstance(raw, int | float) and not isinstance(raw, bool):
        return float(raw)
    if hint in (str, bool) and isinstance(raw, hint):
        return raw
    if hint is int and isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if hint in (datetime, date, time) and isinstance(raw, str):
        return _converted(hint.fromisoformat, raw, where)
    if hint in (Decimal, Path) and isinstance(raw, str):
        return _converted(hint, raw, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _converted(hint, raw, where)
    if hint is bytes and isinstance(raw, str):
        return _converted(bytes.fromhex, raw, where)
    raise CodecError(f"{where} should be {getattr(hint, '__name__', hint)}, not {raw!r:.60}")


def _converted(make: Any, raw: object, where: str) -> Any:
    try:
        return make(raw)
    except (ValueError, ArithmeticError) as error:
        raise CodecError(f"{where}: {error}") from error


def _frozen(raw: object) -> object:
    return tuple(_frozen(each) for each in raw) if isinstance(raw, list) else raw


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        members = [arg for arg in get_args(hint) if arg is not type(None)]
        return members[0] if len(members) == 1 else hint
    return hint


def _needs_tag(hint: Any) -> bool:
    if get_origin(hint) not in (Union, types.UnionType):
        return False
    return sum(dataclasses.is_dataclass(member) for member in get_args(hint)) > 1


def _item_hint(hint: Any, index: int) -> Any:
    inner = _without_none(hint)
    if get_origin(inner) is not tuple:
        return None
    args = get_args(inner)
    if len(args) == 2 and args[1] is Ellipsis:
        return args[0]
    return args[index] if index < len(args) else None


def _collect_shape(hint: Any, seen: dict[str, list[str]]) -> None:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if hint.__name__ in seen:
            return
        seen[hint.__name__] = [f"{n}: {_spelled(h)}" for n, h in field_types(hint).items()]
        for each in field_types(hint).values():
            _collect_shape(each, seen)
    for argument in get_args(hint):
        _collect_shape(argument, seen)


def _spelled(hint: Any) -> str:
    if get_args(hint):
        origin = getattr(get_origin(hint), "__name__", str(get_origin(hint)))
        return f"{origin}[{', '.join(_spelled(arg) for arg in get_args(hint))}]"
    return "..." if hint is Ellipsis else getattr(hint, "__name__", str(hint))
