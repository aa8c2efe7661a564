"""What a node's SQL puts out, as text: kept between runs while its SQL and what it reads hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from dbt_t2s import sql
from dbt_t2s.project.cases import Said
from dbt_t2s.project.outputs import Output, Relation, carried, copied
from dbt_t2s.project.trace import Lookup, trace

# What is kept looks like this; a change of how SQL is read changes it too.
_FORMAT = 1

# Longer expressions are cut: nobody reads them.
LONGEST = 400

Parse = Callable[[str, str], sql.exp.Expr]


@dataclass(frozen=True)
class Made:
    """One column that a node's SQL puts out.

    ``sources`` are the columns of other nodes (``unique_id.column``) that it is made from,
    ``shown`` those whose values it may show; ``expression`` says how, empty where it is ``passed``
    on as it is. ``copy_of`` is the one source that it is, perhaps under another type. ``type`` is
    what the SQL implies, empty where it implies none; ``terms`` what a CASE says of its labels;
    ``problem`` why its sources are not all known, empty when they are.
    """

    name: str
    type: str = ""
    sources: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    expression: str = ""
    passed: bool = False
    copy_of: str = ""
    terms: tuple[Said, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class NodeSql:
    """A node's SQL, read. It holds while ``key`` is its SQL's and ``known`` that of ``relations``.

    ``relations`` are the names (their parts) that the SQL looked up, ``known`` a stamp of what
    these were. ``hidden`` says why there are more columns than these, which then are those of the
    node ``hidden_of`` where that can be told. ``problem`` says why there are none at all.
    """

    key: str = ""
    relations: tuple[tuple[str, ...], ...] = ()
    known: str = ""
    columns: tuple[Made, ...] = ()
    hidden: str = ""
    hidden_of: str = ""
    problem: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether these are all the columns that the SQL puts out."""
        return bool(self.key) and not self.problem and not self.hidden

    @cached_property
    def by_name(self) -> dict[str, Made]:
        """The columns by lower-case name; of two called alike, the first."""
        found: dict[str, Made] = {}
        for each in self.columns:
            found.setdefault(each.name.lower(), each)
        return found

    def column(self, name: str) -> Made | None:
        """The column called so, where need be among the hidden ones."""
        found = self.by_name.get(name.lower())
        if found is not None or not (self.hidden or self.hidden_of):
            return found
        if not self.hidden_of:
            return Made(name, problem=self.hidden)
        source = f"{self.hidden_of}.{name}"
        return Made(name, sources=(source,), shown=(source,), passed=True, copy_of=source)


def key_of(code: str, dialect: str) -> str:
    """The key of what ``code`` says."""
    return stamp((_FORMAT, dialect, code))


def stamp(value: object) -> str:
    """A digest of what a value looks like, to tell whether it is the same as before."""
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read(code: str, dialect: str, lookup: Lookup, parse: Parse) -> NodeSql:
    """What ``code``, one query, puts out; ``parse`` gives trees that are left as they are.

    ``known`` is left to whoever knows what ``lookup`` looks up.
    """
    asked: dict[tuple[str, ...], None] = {}

    def looked_up(parts: tuple[str, ...]) -> Relation:
        asked[parts] = None
        return lookup(parts)

    key = key_of(code, dialect)
    try:
        traced = trace(parse(code, dialect), dialect, looked_up)
    except sql.SqlError as error:
        why = f"its SQL cannot be read: {str(error).splitlines()[0]}"
        return NodeSql(key, tuple(asked), problem=why)
    made = tuple(_made(each, dialect) for each in traced.outputs)
    return NodeSql(key, tuple(asked), "", made, traced.hidden, traced.unique_id)


def _made(output: Output, dialect: str) -> Made:
    try:
        return Made(
            output.name,
            _type(output.value.type, dialect),
            output.sources,
            carried(output),
            _expression(output, dialect),
            output.passed,
            copied(output),
            output.terms,
            output.problem,
        )
    except sql.SqlError as error:
        return Made(output.name, problem=f"cannot be written: {str(error).splitlines()[0]}")


def _type(found: sql.exp.DataType | None, dialect: str) -> str:
    if found is None or found.is_type("unknown", "null"):
        return ""
    return sql.type_name(found, dialect)


def _expression(output: Output, dialect: str) -> str:
    if output.passed or output.problem:
        return ""
    written = sql.to_sql(sql.typed_copy(output.value), dialect, used_up=True)
    return written if len(written) <= LONGEST else written[: LONGEST - 1] + "…"
