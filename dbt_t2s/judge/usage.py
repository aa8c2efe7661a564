"""What a model's SQL says about the columns that it reads: a warehouse made up must suit it."""

from __future__ import annotations

from dataclasses import dataclass

from dbt_t2s import sql as language
from dbt_t2s.judge import json_paths
from dbt_t2s.judge.column_needs import ColumnNeeds
from dbt_t2s.judge.column_uses import ColumnUses
from dbt_t2s.judge.conditions import Condition
from dbt_t2s.judge.query_columns import ColumnsOf, Find, Key, Origin, Place, QueryColumns
from dbt_t2s.sql import exp


@dataclass(frozen=True)
class Usage:
    """One statement read.

    - ``reads``: every column that it names;
    - ``outputs``: (lower-case name, origins), the latter none where a value is computed;
    - ``open``: the nodes of which unknown columns are passed on besides;
    - ``types``: what casts and functions ask for, a DuckDB type or number, date or text;
    - ``equal`` and ``compared``: pairs that are equated, or put in order;
    - ``scenarios``: the conditions that rows must meet together;
    - ``seen``: the conditions that any expression asks about;
    - ``needs``: by output, what must be filled for it to be filled;
    - ``matched``: by output, the keys that must be unique for its rows not to be multiplied;
    - ``decoded``: the only values that a CASE does not turn into NULL;
    - ``formats``: the strftime forms of moments that are held as text;
    - ``paths``: what is read of half-structured columns.
    """

    reads: tuple[Place, ...] = ()
    outputs: tuple[tuple[str, tuple[Origin, ...]], ...] = ()
    open: tuple[str, ...] = ()
    types: tuple[tuple[Place, str], ...] = ()
    equal: tuple[tuple[Place, Place], ...] = ()
    compared: tuple[tuple[Place, Place], ...] = ()
    scenarios: tuple[tuple[tuple[Place, Condition], ...], ...] = ()
    seen: tuple[tuple[Place, Condition], ...] = ()
    needs: tuple[tuple[str, tuple[Place, ...]], ...] = ()
    matched: tuple[tuple[str, tuple[Key, ...]], ...] = ()
    decoded: tuple[tuple[Place, tuple[str, ...]], ...] = ()
    formats: tuple[tuple[Place, str], ...] = ()
    paths: tuple[tuple[Place, json_paths.Path], ...] = ()


def read(tree: exp.Expr, find: Find, known: ColumnsOf) -> Usage:
    """What the query ``tree`` says; ``SqlError`` where its scopes cannot be told.

    ``find`` and ``known`` are those of ``QueryColumns``.
    """
    try:
        return _read(tree, find, known)
    except RecursionError as error:
        raise language.SqlError("it reads itself, or is nested too deeply") from error


def _read(tree: exp.Expr, find: Find, known: ColumnsOf) -> Usage:
    language.match_ctes(tree)
    scopes = language.scopes(tree) if language.is_select(tree) else ()
    if not scopes:
        return Usage()
    columns = QueryColumns(find, known)
    uses, needs, last = ColumnUses(columns), ColumnNeeds(columns), scopes[-1]
    scenarios = (uses.scenario(scope) for scope in scopes)
    return Usage(
        reads=tuple(dict.fromkeys(each for scope in scopes for each in uses.reads(scope))),
        outputs=tuple(columns.outputs(last)),
        open=columns.open_nodes(last),
        types=tuple(each for scope in scopes for each in uses.types(scope)),
        equal=tuple(dict.fromkeys(each for scope in scopes for each in uses.equal(scope))),
        compared=tuple(dict.fromkeys(each for scope in scopes for each in uses.compared(scope))),
        scenarios=tuple(dict.fromkeys(each for each in scenarios if each)),
        seen=tuple(dict.fromkeys(each for scope in scopes for each in uses.seen(scope))),
        needs=tuple(needs.all_needs(last)),
        matched=tuple(needs.all_matched(last)),
        decoded=tuple(dict.fromkeys(each for scope in scopes for each in uses.decoded(scope))),
        formats=tuple(dict.fromkeys(each for scope in scopes for each in uses.formats(scope))),
        paths=tuple(dict.fromkeys(each for scope in scopes for each in uses.paths(scope))),
    )
