"""Which relation a name in a query means, and whether it may be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Path3 = tuple[str, str, str]
# DuckDB takes names for equal by their ASCII letters alone: to it the Kelvin sign is no k.
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
DEFAULT_SCHEMA = "main"


@dataclass(frozen=True)
class Allowed:
    """The relations that may be read, as (catalog, schema, name) in lower case."""

    catalog: str
    relations: frozenset[Path3]

    def permits(self, parts: tuple[str, ...]) -> bool:
        """Whether a dotted name can mean nothing but an allowed relation."""
        return any(path in self.relations for path in _readings(parts, self.catalog))


def folded(name: str) -> str:
    """A name as DuckDB compares it: ASCII letters in lower case, all others as they are."""
    return name.translate(_LOWER)


def allowed_relations(names: Iterable[str], catalog: str) -> Allowed:
    """``names`` are dotted and quoted where needed; what they leave out is the default."""
    found = {full_path(split_name(name), catalog) for name in names}
    return Allowed(folded(catalog), frozenset(found))


def full_path(parts: tuple[str, ...], catalog: str) -> Path3:
    """The (catalog, schema, name) of a name with one, two or three parts, in lower case."""
    padded = (catalog, DEFAULT_SCHEMA, *parts) if len(parts) == 1 else (catalog, *parts)
    last = padded[-3:]
    return folded(last[0]), folded(last[1]), folded(last[2])


def split_name(name: str) -> tuple[str, ...]:
    """The parts of a dotted name; quotes are taken off, dots within them kept."""
    parts: list[str] = []
    current = ""
    closing = ""
    position = 0
    while position < len(name):
        letter = name[position]
        if closing and letter == closing:
            if name[position + 1 : position + 2] == closing:
                current += letter
                position += 1
            else:
                closing = ""
        elif closing:
            current += letter
        elif letter in '"`':
            closing = letter
        elif letter == ".":
            parts.append(current)
            current = ""
        else:
            current += letter
        position += 1
    return (*parts, current)


def _readings(parts: tuple[str, ...], catalog: str) -> tuple[Path3, ...]:
    """What DuckDB may take a name for: ``a.b`` is a schema's or a catalog's relation."""
    if not 1 <= len(parts) <= 3:
        return ()
    first = full_path(parts, catalog)
    if len(parts) == 2 and folded(parts[0]) == folded(catalog):
        # Where both exist DuckDB calls the name ambiguous and runs nothing.
        return first, full_path((catalog, DEFAULT_SCHEMA, parts[1]), catalog)
    return (first,)
