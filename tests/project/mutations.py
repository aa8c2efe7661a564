"""Changes that nobody should make to an artifact: of its values, of its sections, of its bytes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

FILES = ("manifest", "catalog", "semantic_manifest", "run_results")

NASTY = (
    "", " ", "\x00", "\ud800", "é\u202e", "'; drop table bookings; --", '"',
    "{{ ref('bookings') }}",
    "{{ Dimension('booking__status') }} = ", "{% for x in y %}", "a.b.c.d", "select 1; select 2",
    "select * from (" * 30, "(" * 500, "model.kennel.bookings", "test", "1e999", "x" * 200_000,
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from((2**63, -(10**30), float("nan"), float("inf"), 0.5))
    | st.sampled_from(NASTY)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


# What a section, or a whole file, may be instead.
RETYPED: tuple[Any, ...] = (
    None, True, 0, -1.5, "", "nodes", [], {}, [[]], [{}], [None, {}], {"": {}}, {"": 1},
    {"a": None}, {"a": []}, {"model.kennel.bookings": {}},
)  # fmt: skip
BYTES = (
    b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b'"', b"\\", b"\\u0000", b"\n", b"{",
    b"[", b"}", b"]", b",", b":", b"null", b"NaN", b"1e400", b"-", b"[" * 200, b"[" * 100_000,
    b"9" * 5000, b"'", b";", b"{{", b"}}", b"--", b"/*", b" ", b"null,", b'"",', b"{},",
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """One change: ``walk`` leads to a container (numbers, modulo its size), ``last`` into it."""

    file: str
    walk: tuple[int, ...]
    last: int
    what: str
    value: Any


MUTATIONS = st.builds(
    Mutation,
    st.sampled_from(("manifest", "manifest", *FILES)),
    st.lists(st.integers(0, 400), max_size=6).map(tuple),
    st.integers(0, 400),
    st.sampled_from(("replace", "replace", "drop", "copy", "swap")),
    VALUES,
)


@dataclass(frozen=True)
class Section:
    """A change at the top of a file: ``at`` is the section's number, modulo how many there are."""

    file: str
    at: int
    what: str
    value: Any
    other: str


SECTIONS = st.builds(
    Section,
    st.sampled_from(("manifest", "manifest", *FILES)),
    st.integers(0, 20),
    st.sampled_from(("retype", "retype", "drop", "rename", "listed", "borrow", "whole")),
    st.sampled_from(RETYPED),
    st.sampled_from(FILES),
)


@dataclass(frozen=True)
class Slip:
    """A change of a file's bytes: ``at`` and ``to`` are places, in parts of a million."""

    file: str
    at: int
    to: int
    length: int
    what: str
    value: bytes


PLACES = st.integers(0, 999_999)
SLIPS = st.builds(
    Slip,
    st.sampled_from(FILES),
    PLACES,
    PLACES,
    st.integers(1, 40),
    st.sampled_from(("cut", "flip", "flip", "flip", "insert", "drop", "swap", "repeat")),
    st.sampled_from(BYTES) | st.binary(max_size=4),
)


def keys(container: Any) -> list[Any]:
    if isinstance(container, dict):
        return list(container)
    return list(range(len(container))) if isinstance(container, list) else []


def apply(content: Any, mutation: Mutation) -> None:
    """Change ``content`` in place; nothing happens where the walk ends in an empty container."""
    here = content
    for step in mutation.walk:
        inside = [key for key in keys(here) if keys(here[key])]
        if not inside:
            break
        here = here[inside[step % len(inside)]]
    names = keys(here)
    if not names:
        return
    key, other = names[mutation.last % len(names)], names[(mutation.last * 7 + 1) % len(names)]
    if mutation.what == "replace":
        here[key] = mutation.value
    elif mutation.what == "drop":
        del here[key]
    elif mutation.what == "swap":
        here[key], here[other] = here[other], here[key]
    elif isinstance(here, dict):
        here[f"{key}_again"] = copy.deepcopy(here[key])
    else:
        here.append(copy.deepcopy(here[key]))


def retyped(contents: dict[str, Any], change: Section) -> None:
    """Change ``contents``, files by name, in place."""
    here = contents[change.file]
    if not isinstance(here, dict) or not here:
        return
    key = list(here)[change.at % len(here)]
    if change.what == "retype":
        here[key] = change.value
    elif change.what == "drop":
        del here[key]
    elif change.what == "rename":
        here[key.upper()] = here.pop(key)
    elif change.what == "listed":
        here[key] = list(here[key].values()) if isinstance(here[key], dict) else {"a": here[key]}
    elif change.what == "borrow":
        contents[change.file] = contents[change.other]
    else:
        contents[change.file] = change.value


def slipped(content: bytes, slip: Slip) -> bytes:
    """The bytes, changed."""
    at, to = (len(content) * each // 1_000_000 for each in (slip.at, slip.to))
    first, second = sorted((at, to))
    if slip.what == "cut":
        return content[:at]
    if slip.what == "flip":  # one bit: most leave a letter a letter
        return content[:at] + bytes(b ^ 1 for b in content[at : at + 1]) + content[at + 1 :]
    if slip.what == "insert":
        return content[:at] + slip.value + content[at:]
    if slip.what == "drop":
        return content[:at] + content[at + slip.length :]
    if slip.what == "swap":
        return content[:first] + content[second:] + content[first:second]
    return content[:at] + content[at : at + slip.length] * 2 + content[at + slip.length :]
