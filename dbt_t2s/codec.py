"""Frozen dataclasses ↔ plain JSON values, led by the fields' types; and their fingerprints."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

Convert = Callable[[Any], Any]

# Which member of a union of dataclasses a JSON object is.
TAG = "is"

_SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class CodecError(ValueError):
    """A JSON value does not fit the type it should become."""


def fingerprint(value: object) -> str:
    """sha256 of the value's canonical JSON: equal values have equal fingerprints, always."""
    return fingerprint_of_json(_encode_any(value))


def fingerprint_of_json(value: Any) -> str:
    """``fingerprint`` of what is plain JSON already, as ``encode`` gives it."""
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def encode(value: object, hint: Any = None) -> Any:
    """The JSON value of a dataclass, enum, tuple, mapping or scalar."""
    return _encode_any(value) if hint is None else _encoder(hint)(value)


def decode(raw: object, cls: type[T]) -> T:
    """The value of type ``cls`` that ``raw`` stands for; CodecError if it is none."""
    try:
        return cast(T, _decoder(cast(Any, cls))(raw))
    except _Unfit as error:
        raise CodecError(f"{cls.__name__}{error.path}{error.text}") from error


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


# --- encoding: a function for each type, made once ----------------------------------------------


def _encode_any(value: object) -> Any:
    """By what the value is, where no type says what it should be."""
    if value is None or type(value) in (str, int, bool):
        return value
    if isinstance(value, Enum):
        return _encode_any(value.value)
    if isinstance(value, float) and not math.isfinite(value):
        return next(k for k, v in _SPELLED.items() if repr(v) == repr(value))
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _encode_any(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_encode_any(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _encoder(type(value))(value)
    if isinstance(value, set | frozenset):
        return sorted((_encode_any(each) for each in value), key=json.dumps)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"cannot store a {type(value).__name__}")


@cache
def _encoder(hint: Any) -> Convert:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union_encoder(args)
    if origin is tuple:
        return _tuple_encoder(args)
    if origin is not None and issubclass(origin, Mapping):
        item = _encoder(args[1])
        return lambda value: {str(key): item(each) for key, each in value.items()}
    return _dataclass_encoder(cast(type, hint)) if dataclasses.is_dataclass(hint) else _encode_any


def _union_encoder(args: tuple[Any, ...]) -> Convert:
    members = [each for each in args if each is not types.NoneType]
    if len(members) == 1:
        item = _encoder(members[0])
        return lambda value: None if value is None else item(value)
    if sum(dataclasses.is_dataclass(each) for each in members) < 2:
        return _encode_any

    def tagged(value: Any) -> Any:
        content = _encode_any(value)
        is_record = dataclasses.is_dataclass(value)
        return {TAG: type(value).__name__, **content} if is_record else content

    return tagged


def _tuple_encoder(args: tuple[Any, ...]) -> Convert:
    if len(args) == 2 and args[1] is Ellipsis:
        item = _encoder(args[0])
        return lambda value: [item(each) for each in value]
    items = [_encoder(each) for each in args]
    return lambda value: [item(each) for item, each in zip(items, value, strict=True)]


def _dataclass_encoder(cls: type) -> Convert:
    fields: list[tuple[str, Convert]] = []  # made when first needed: a class may hold itself

    def convert(value: Any) -> Any:
        if type(value) is not cls:
            return _encode_any(value)
        if not fields:
            fields.extend((name, _encoder(hint)) for name, hint in field_types(cls).items())
        return {name: item(getattr(value, name)) for name, item in fields}

    return convert


# --- decoding ------------------------------------------------------------------------------------


class _Unfit(Exception):
    """A value that does not fit; ``path`` leads to it and grows on the way out."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.path = ""

    def under(self, step: str) -> _Unfit:
        self.path = step + self.path
        return self


@cache
def _decoder(hint: Any) -> Convert:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return _frozen
    if origin in (Union, types.UnionType):
        return _union_decoder(args)
    if origin is tuple:
        return _tuple_decoder(args)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_decoder(args[1])
    if dataclasses.is_dataclass(hint):
        return _dataclass_decoder(cast(type, hint))
    return _scalar_decoder(hint)


def _dataclass_decoder(cls: type) -> Convert:
    fields: dict[str, Convert] = {}

    def convert(raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise _Unfit(" should be an object")
        if not fields:
            fields.update((name, _decoder(hint)) for name, hint in field_types(cls).items())
        values = {}
        for name, each in raw.items():
            item = fields.get(name)
            if item is not None:
                values[name] = _within(item, each, name)
            elif name != TAG:
                raise _Unfit(f" has an unknown field {name!r}")
        try:
            return cls(**values)
        except TypeError as error:
            raise _Unfit(f": {error}") from error

    return convert


def _within(item: Convert, raw: Any, name: str) -> Any:
    try:
        return item(raw)
    except _Unfit as error:
        raise error.under(f".{name}") from None


def _mapping_decoder(hint: Any) -> Convert:
    item = _decoder(hint)

    def convert(raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise _Unfit(" should be an object")
        return {name: _within(item, each, name) for name, each in raw.items()}

    return convert


def _tuple_decoder(args: tuple[Any, ...]) -> Convert:
    endless = len(args) == 2 and args[1] is Ellipsis
    items = [_decoder(each) for each in (args[:1] if endless else args)]
    each_item: Iterable[Convert] = repeat(items[0]) if endless else items

    def convert(raw: Any) -> Any:
        if not isinstance(raw, list | tuple):
            raise _Unfit(" should be a list")
        if not endless and len(items) != len(raw):
            raise _Unfit(f" should have {len(items)} entries, not {len(raw)}")
        found: list[Any] = []
        try:
            for each, item in zip(raw, each_item, strict=False):
                found.append(item(each))
        except _Unfit as error:
            raise error.under(f"[{len(found)}]") from None
        return tuple(found)

    return convert


def _union_decoder(args: tuple[Any, ...]) -> Convert:
    members = {each: _decoder(each) for each in args if each is not types.NoneType}
    named = {getattr(each, "__name__", ""): item for each, item in members.items()}
    optional = len(members) < len(args)

    def convert(raw: Any) -> Any:
        if raw is None and optional:
            return None
        tag = raw.get(TAG) if isinstance(raw, dict) else None
        if isinstance(tag, str) and tag in named:
            return named[tag](raw)
        failures: list[_Unfit] = []
        # Exact scalar types first, so that 1 is an int where int and float are both allowed.
        for _, item in sorted(members.items(), key=lambda each: type(raw) is not each[0]):
            try:
                return item(raw)
            except _Unfit as error:
                failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        raise _Unfit("; ".join(f"{each.path}{each.text}" for each in failures))

    return convert


def _scalar_decoder(hint: Any) -> Convert:
    wanted = getattr(hint, "__name__", str(hint))

    def unfit(raw: Any) -> _Unfit:
        return _Unfit(f" should be {wanted}, not {raw!r:.60}")

    def plain(raw: Any) -> Any:
        if isinstance(raw, hint) and (hint is not int or not isinstance(raw, bool)):
            return raw
        raise unfit(raw)

    def number(raw: Any) -> Any:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return float(raw)
        if isinstance(raw, str) and raw in _SPELLED:
            return _SPELLED[raw]
        raise unfit(raw)

    def made(make: Callable[[Any], Any]) -> Convert:
        def convert(raw: Any) -> Any:
            if not isinstance(raw, str) and not _is_enum(hint):
                raise unfit(raw)
            try:
                return make(raw)
            except (ValueError, ArithmeticError) as error:
                raise _Unfit(f": {error}") from error

        return convert

    if hint in (str, bool, int):
        return plain
    if hint is float:
        return number
    if hint in (datetime, date, time):
        return made(hint.fromisoformat)
    if hint in (Decimal, Path) or _is_enum(hint):
        return made(hint)
    if hint is bytes:
        return made(bytes.fromhex)
    raise TypeError(f"cannot read a {wanted}")


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _frozen(raw: object) -> object:
    return tuple(_frozen(each) for each in raw) if isinstance(raw, list) else raw


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        members = [arg for arg in get_args(hint) if arg is not type(None)]
        return members[0] if len(members) == 1 else hint
    return hint


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
