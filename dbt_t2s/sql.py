"""The only importer of sqlglot: parse, read, rewrite and print SQL.

Everything here takes text of a dialect (sqlglot's name for it) and fails with one exception,
``SqlError``. ``exp`` is re-exported so that callers can look at the nodes they are given.
"""

from __future__ import annotations

import functools
import gc
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import TypeVar

import sqlglot
from sqlglot import exp as exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.optimizer.annotate_types import TypeAnnotator
from sqlglot.optimizer.scope import Scope as Scope
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

# Longer texts are refused unread: sqlglot's time grows faster than the text.
MAX_LENGTH = 100_000
# The limit for what a project's own people wrote: mining 1 MB of one query took 15 s of one core
# and 300 MB at worst.
LONGEST_TRUSTED = 1_000_000

# sqlglot's compiled build (the extra ``fast``) overruns the stack on thousands of open brackets,
# which ends the process; nobody nests so many.
_DEEPEST = 200
# sqlglot tries a type's name before brackets as a type first and as a function again: each such
# call within another doubles the time, thirteen take a second or more.
_DEEPEST_TYPES = 9
_BRACKETS = re.compile(r"(?<!\w)(\w++)\s*+\(|[()]")

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")

# Words that DuckDB and Postgres do not take as a bare column or table name.
_RESERVED_WORDS = """
    all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by
    case cast check collate collation column columns concurrently constraint create cross default
    deferrable desc describe distinct do else end except false fetch for foreign freeze from full
    generated glob group having ilike in initially inner intersect into is isnull join lambda
    lateral leading left like limit map natural not notnull null offset on only or order outer
    overlaps pivot pivot_longer pivot_wider placing positional primary qualify references returning
    right select semi show similar some struct summarize symmetric table tablesample then to
    trailing true try_cast tuple union unique unpack unpivot user using variadic verbose when where
    window with
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())


# What the parser notes of a name's place in the text.
_PLACES = frozenset({"line", "col", "start", "end"})

# How many answers about short texts are kept: those of a large project.
_REMEMBERED = 20_000

T = TypeVar("T")

# What SQL was read with: another version may read it otherwise.
READER = f"sqlglot {version('sqlglot')}"


class SqlError(ValueError):
    """SQL text that cannot be read, or read but not printed."""


def _guarded(action: Callable[[], T]) -> T:
    """Run a sqlglot call and turn what it may raise into ``SqlError``."""
    try:
        return action()
    except SqlglotError as error:
        raise SqlError(str(error)) from error
    except RecursionError as error:
        raise SqlError("nested too deeply to be read") from error
    except ValueError as error:
        # sqlglot raises plain ValueErrors for unknown dialects and odd literals.
        raise SqlError(str(error)) from error


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage: among the parse trees of a whole project it takes a third of the time.

    On a project of 1,058 models it would find 120 MB.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@functools.cache
def _dialect(name: str) -> Dialect:
    """sqlglot's dialect, which it would make anew for each text; ValueError for unknown names."""
    return Dialect.get_or_raise(name)


def parse_one(sql: str, dialect: str) -> exp.Expr:
    """The parse tree of exactly one statement or expression."""
    found = parse(sql, dialect, MAX_LENGTH)
    if not found:
        raise SqlError("no SQL in it")
    if len(found) > 1 or isinstance(found[0], exp.Block):
        raise SqlError("more than one statement")
    if isinstance(found[0], exp.Command):
        raise SqlError(f"cannot read a {found[0].name or 'command'} statement")
    return found[0]


def parse(sql: str, dialect: str, longest: int) -> tuple[exp.Expr, ...]:
    """The parse trees of all statements in ``sql``; SqlError over ``longest`` characters."""
    if len(sql) > longest:
        raise SqlError(f"longer than {longest:,} characters")
    depth, types = _depths(sql, _type_words(dialect))
    if depth > _DEEPEST or types > _DEEPEST_TYPES:
        raise SqlError("nested too deeply to be read")
    read = _guarded(lambda: sqlglot.parse(sql, read=_dialect(dialect)))
    found = tuple(each for each in read if each and not isinstance(each, exp.Semicolon))
    for tree in found:
        _forget_places(tree)
    return found


def _depths(sql: str, types: frozenset[str]) -> tuple[int, int]:
    """How deep brackets are nested, and those after types alone; in strings they count, too."""
    opened: list[bool] = []
    typed = deepest = deepest_typed = 0
    for bracket in _BRACKETS.finditer(sql):
        if bracket[0].endswith("("):
            opened.append((bracket[1] or "").lower() in types)
            typed += opened[-1]
        elif opened:
            typed -= opened.pop()
        deepest, deepest_typed = max(deepest, len(opened)), max(deepest_typed, typed)
    return deepest, deepest_typed


@functools.cache
def _type_words(dialect: str) -> frozenset[str]:
    """The words that types' names end with, in lower case; none for an unknown dialect."""
    try:
        found = _dialect(dialect)
    except ValueError:
        return frozenset()
    names = found.tokenizer_class.KEYWORDS.items()
    types = found.parser_class.TYPE_TOKENS
    return frozenset(name.lower().split()[-1] for name, token in names if token in types)


def _forget_places(tree: exp.Expr) -> None:
    """Takes off where in the text each name stood: nobody asks, and every copy would carry it."""
    for node in tree.walk(bfs=False):
        if node._meta is not None and node._meta.keys() <= _PLACES:
            node._meta = None


def to_sql(node: exp.Expr, dialect: str, *, pretty: bool = False, used_up: bool = False) -> str:
    """``node`` as text of ``dialect``, without comments.

    Writing changes a tree, so a copy is written unless nobody looks at it again (``used_up``).
    """
    return _guarded(
        lambda: _dialect(dialect).generate(node, copy=not used_up, pretty=pretty, comments=False)
    )


def typed_copy(node: exp.Expr) -> exp.Expr:
    """A copy that shares the types found for ``node``: copying those takes longer than all else."""
    nodes = list(node.walk(bfs=False))
    types = [each._type for each in nodes]
    for each in nodes:
        each._type = None
    copy = node.copy()
    for each, copied, type_ in zip(nodes, copy.walk(bfs=False), types, strict=True):
        each._type = copied._type = type_
    return copy


def translated(node: exp.Expr, dialect: str) -> tuple[str, tuple[str, ...]]:
    """``node`` as text of ``dialect``, and what of it that dialect has no form for."""
    generator = _dialect(dialect).generator(comments=False, unsupported_level=ErrorLevel.IGNORE)
    text = _guarded(lambda: generator.generate(node))
    return text, tuple(dict.fromkeys(generator.unsupported_messages))


def transpile(sql: str, read: str, write: str, *, pretty: bool = False) -> str:
    """``sql`` of one dialect in another; in the house form of ``format_sql`` if ``pretty``."""
    tree = parse_one(sql, read).transform(_portable, write, copy=False)
    return to_sql(tree, write, pretty=pretty, used_up=True)


def _portable(node: exp.Expr, write: str) -> exp.Expr:
    """The node as something that ``write`` runs, where sqlglot writes what it does not."""
    if isinstance(node, exp.Dayname) and write not in ("duckdb", "snowflake"):
        return exp.TimeToStr(this=node.this, format=exp.Literal.string("%A"))
    if isinstance(node, exp.NullSafeEQ) and write == "postgres":
        join = node.find_ancestor(exp.Join, exp.Select)
        if isinstance(join, exp.Join) and join.side == "FULL":
            # It joins fully by what it can hash alone; arrays are equal where both hold NULL.
            left, right = (exp.Array(expressions=[each]) for each in (node.left, node.right))
            return exp.EQ(this=left, expression=right)
    if isinstance(node, exp.Column) and write != "duckdb" and _is_ranked(node):
        # A column would give way to the expression of an alias of that name.
        return exp.Dot.build(node.parts) if len(node.parts) > 1 else node.this
    return node


def _is_ranked(column: exp.Expr) -> bool:
    """Whether a window of QUALIFY reads the column."""
    clause = column.find_ancestor(exp.Qualify, exp.Select)
    return isinstance(clause, exp.Qualify) and column.find_ancestor(exp.Window) is not None


def format_sql(sql: str, dialect: str) -> str:
    """``sql`` in the house form: one clause a line, no comments."""
    return to_sql(parse_one(sql, dialect), dialect, pretty=True, used_up=True)


def walk(node: exp.Expr) -> Iterator[exp.Expr]:
    """Every node under ``node``, itself first."""
    return node.walk()


def is_select(node: exp.Expr) -> bool:
    """Whether ``node`` is a query: a SELECT or set operations over SELECTs."""
    return isinstance(node.unnest(), exp.Select | exp.SetOperation)


@functools.lru_cache(_REMEMBERED)
def quote(name: str, dialect: str) -> str:
    """``name`` as one identifier of ``dialect``, quoted only where that is needed."""
    plain = bool(_PLAIN.match(name)) and name not in _RESERVED
    return to_sql(exp.to_identifier(name, quoted=not plain), dialect, used_up=True)


def table_name(table: exp.Table, dialect: str) -> str:
    """The relation that ``table`` names, quoted only where needed.

    Quotes that change nothing go in DuckDB alone, which ignores case: elsewhere ``"a"`` and ``a``
    may be two relations.
    """
    parts = [part for part in table.parts if isinstance(part, exp.Identifier)]
    if dialect == "duckdb":
        return ".".join(quote(part.name, dialect) for part in parts)
    return ".".join(to_sql(part, dialect) for part in parts)


@functools.lru_cache(_REMEMBERED)
def relation(name: str, dialect: str) -> str:
    """A relation name as dbt writes it, in the form ``references`` gives."""
    node = _guarded(lambda: exp.to_table(name, dialect=dialect))
    return table_name(node, dialect)


def scopes(node: exp.Expr) -> tuple[Scope, ...]:
    """The query's scopes (CTEs, subqueries, itself), inner ones first.

    SqlError also where one of them calls two of its sources by one name.
    """
    found = _guarded(lambda: traverse_scope(node))
    # What a recursive CTE calls itself is an empty stand-in for the query that it starts from.
    whole = {id(scope.expression): scope for scope in found}
    for scope in found:
        for name, source in scope.sources.items():
            if isinstance(source, Scope):
                scope.sources[name] = whole.get(id(source.expression), source)
    _guarded(lambda: [scope.selected_sources for scope in found])
    return tuple(found)


def match_ctes(tree: exp.Expr) -> None:
    """Spells the names of CTEs alike in place: ``with A as … from a`` reads ``A``."""
    names = {cte.alias.lower(): cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table) if names else ():
        name = names.get(table.name.lower())
        if name and name != table.name and not table.args.get("db"):
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("this", exp.to_identifier(name))


def references(sql: str, dialect: str) -> tuple[str, ...]:
    """The relations that ``sql`` reads, in order of first appearance; CTEs are not relations."""
    node = parse_one(sql, dialect)
    if not is_select(node):
        found = list(node.find_all(exp.Table))
    else:
        found = [
            source
            for scope in scopes(node)
            for source in scope.sources.values()
            if isinstance(source, exp.Table)
        ]
    return tuple(dict.fromkeys(table_name(each, dialect) for each in found))


@functools.cache
def data_type(name: str, dialect: str) -> exp.DataType:
    """A warehouse's type name read; the unknown type where it cannot be."""
    try:
        return _guarded(lambda: exp.DataType.build(name, dialect=dialect))
    except SqlError:
        return exp.DType.UNKNOWN.into_expr()


@functools.lru_cache(_REMEMBERED)
def type_name(type_: exp.DataType, dialect: str) -> str:
    """A type as ``dialect`` writes it."""
    return to_sql(type_, dialect)


@functools.cache
def _no_schema(dialect: str) -> MappingSchema:
    return MappingSchema(dialect=dialect)


def infer_type(node: exp.Expr, dialect: str) -> exp.DataType | None:
    """The type of an expression from those that its parts already carry; None if unknown.

    Every part's ``type`` is set on the way, so that an expression built over this one need not be
    inferred again.
    """
    annotator = TypeAnnotator(_no_schema(dialect), overwrite_types=False)
    try:
        _guarded(lambda: annotator.annotate(node, annotate_scope=False))
    except AttributeError:
        # sqlglot looks for an operand that may be missing (BigQuery's PERCENTILE_CONT … WITHIN
        # GROUP has one).
        return None
    found = node.type
    unknown = found is None or found.is_type(exp.DType.UNKNOWN, exp.DType.NULL)
    return None if unknown else found


def columns_in(node: exp.Expr) -> tuple[tuple[str, str], ...]:
    """The (table or alias, column) pairs in ``node`` in order, each once; table "" if unsaid."""
    pairs = ((column.table, column.name) for column in node.find_all(exp.Column, bfs=False))
    return tuple(dict.fromkeys(pairs))


@functools.lru_cache(_REMEMBERED)
def columns_read(sql: str, dialect: str) -> tuple[tuple[str, str], ...]:
    """``columns_in`` of an expression's text."""
    return columns_in(parse_one(sql, dialect))


def qualify(sql: str, dialect: str, table: str, names: Mapping[str, str]) -> str:
    """An expression over bare columns with each written ``table.column``.

    ``names`` maps lower-case names to the columns' own; ``SqlError`` on a column that is not there.
    """

    def place(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        if node.name.lower() not in names or node.table.lower() not in ("", table.lower()):
            raise SqlError(f"{to_sql(node, dialect)} is not a column of {table}")
        name = names[node.name.lower()]
        return _guarded(
            lambda: exp.maybe_parse(
                f"{quote(table, dialect)}.{quote(name, dialect)}", into=exp.Column, dialect=dialect
            )
        )

    return to_sql(parse_one(sql, dialect).transform(place), dialect)


@functools.lru_cache(_REMEMBERED)
def unqualify(sql: str, dialect: str, table: str = "") -> str:
    """An expression with the table taken off its columns: off all, or off those of ``table``."""
    return to_sql(_without_table(parse_one(sql, dialect), table), dialect, used_up=True)


def bare(node: exp.Expr, dialect: str) -> str:
    """An expression as text with the table taken off all its columns."""
    return to_sql(_without_table(node.copy(), ""), dialect, used_up=True)


def _without_table(tree: exp.Expr, table: str) -> exp.Expr:
    """``tree``, changed in place."""
    for column in tree.find_all(exp.Column):
        if not table or column.table == table:
            column.args.update(table=None, db=None, catalog=None)
    return tree


def substitute(sql: str, dialect: str, values: Mapping[str, str]) -> str:
    """An expression with whole columns named in ``values`` replaced by their expressions."""

    def place(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table and node.name in values:
            return parse_one(values[node.name], dialect)
        return node

    return to_sql(parse_one(sql, dialect).transform(place), dialect)


def all_of(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that all hold where ``node`` does: what AND joins, at any depth."""
    node = node.unnest()
    if not isinstance(node, exp.And):
        return [node]
    return [part for each in node.flatten() for part in all_of(each)]


@functools.lru_cache(_REMEMBERED)
def conjuncts(predicate: str, dialect: str) -> tuple[str, ...]:
    """The parts of a condition that all must hold, spelled alike: ``x = false`` is ``NOT x``."""
    plain = (_plain_boolean(part) for part in all_of(parse_one(predicate, dialect)))
    found = [to_sql(exp.paren(p) if isinstance(p, exp.Or) else p, dialect) for p in plain]
    return tuple(dict.fromkeys(found))


def _plain_boolean(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.EQ) or not isinstance(node.expression, exp.Boolean):
        return node
    return node.this if node.expression.this else exp.not_(node.this)
