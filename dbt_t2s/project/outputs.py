"""What a query's FROM offers: relations, their columns, and which of them a name means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dbt_t2s import sql
from dbt_t2s.project.cases import Said
from dbt_t2s.sql import exp

# An expression with more parts stays under its own name where it is built into another: the
# expressions of a long chain would otherwise grow by multiplication.
_LARGEST_PART = 40

# Words that stand for themselves in calls that sqlglot does not know (`datediff(day, a, b)`).
_WORDS = frozenset(
    """year quarter month week isoweek day dayofweek dayofyear hour minute second millisecond
    microsecond epoch sysdate current_date current_timestamp current_time rownum""".split()
)


@dataclass(frozen=True)
class Output:
    """One column that a query or relation puts out.

    ``sources`` are the columns of other nodes (``unique_id.column``) that it is made from;
    ``value`` is its expression, with those written as bare words and types set where known (to be
    copied, never changed); ``passed`` says that it is a source as it is; ``problem`` why its
    sources are not all known, empty when they are. ``terms`` are what it says where it is a CASE,
    ``copy_of`` the source that the first branch of a union is.
    """

    name: str
    value: exp.Expr
    sources: tuple[str, ...] = ()
    passed: bool = False
    size: int = 1
    problem: str = ""
    terms: tuple[Said, ...] = ()
    copy_of: str = ""

    def part(self) -> tuple[exp.Expr, int]:
        """A copy of the value to build into another, and how many parts that has."""
        if self.size <= _LARGEST_PART:
            return sql.typed_copy(self.value), self.size
        return _word(self.name, self.value.type), 1


def source(unique_id: str, name: str, type_: exp.DataType | None = None) -> Output:
    """The column ``name`` of a node, as another node reads it."""
    spelled = name if name.isidentifier() else sql.quote(name, "")
    word = _word(f"{unique_id}.{spelled}", type_)
    return Output(name, word, (f"{unique_id}.{name}",), passed=True)


def unresolved(name: str, problem: str) -> Output:
    return Output(name, _word(name, None), problem=problem)


def _word(text: str, type_: exp.DataType | None) -> exp.Expr:
    node = exp.Var(this=text)
    node.type = type_
    return node


@dataclass(frozen=True)
class Relation:
    """What stands in a FROM: its columns by lower-case name, in order.

    Where a star would hide some of them, ``unknown`` says why. Names beyond ``columns`` are taken
    for columns of the node ``unique_id`` where that is said, or, of a table function, for something
    made from ``made_of``.
    """

    columns: Mapping[str, Output]
    unknown: str = ""
    unique_id: str = ""
    made_of: tuple[Output, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether there may be columns beyond those listed."""
        return bool(self.unknown or self.unique_id)

    def column(self, name: str) -> Output | None:
        found = self.columns.get(name.lower())
        if found is not None or not self.is_open:
            return found
        if self.unique_id:
            return source(self.unique_id, name)
        if self.made_of:
            return replace(combined(name, _word(name, None), self.made_of), passed=False)
        return unresolved(name, self.unknown)


def relation(
    outputs: Iterable[Output], names: Iterable[str] = (), unknown: str = "", unique_id: str = ""
) -> Relation:
    """A relation of these outputs, under the ``names`` of a column alias list where given."""
    columns: dict[str, Output] = {}
    given = list(names)
    for index, each in enumerate(outputs):
        name = given[index] if index < len(given) else each.name
        columns.setdefault(name.lower(), each if name == each.name else replace(each, name=name))
    return Relation(columns, unknown, unique_id)


def combined(name: str, value: exp.Expr, parts: Iterable[Output], size: int = 1) -> Output:
    """An output made from ``parts``: all their sources, and the first of their problems."""
    known = tuple(parts)
    return Output(
        name,
        value,
        tuple(dict.fromkeys(source for part in known for source in part.sources)),
        size=size,
        problem=next((part.problem for part in known if part.problem), ""),
    )


def union(name: str, branches: Iterable[Output], dialect: str) -> Output:
    """One column of a union. NULLs that only fill a branch up say nothing about it."""
    known = list(branches)
    told = [each for each in known if each.sources or not _is_null(each.value)] or known[:1]
    if len(told) == 1:
        return replace(told[0], name=name)
    parts = [each.part() for each in told]
    texts = dict.fromkeys(sql.to_sql(part, dialect, used_up=True) for part, _ in parts)
    types = (each.value.type for each in told)
    type_ = next((t for t in types if t and not t.is_type(exp.DType.UNKNOWN)), None)
    size = sum(size for _, size in parts) if len(texts) > 1 else parts[0][1]
    text = f"({' UNION '.join(texts)})" if len(texts) > 1 else next(iter(texts))
    found = combined(name, _word(text, type_), told, size)
    all_passed = all(each.passed for each in told)
    return replace(found, passed=all_passed, copy_of=copied(told[0]))


def carried(output: Output) -> tuple[str, ...]:
    """The sources whose values the output may show: not those that it only tests, counts or sorts.

    Where the expression does not say which word is which source, all of them.
    """
    words = set(_shown(output.value))
    by_word = {_source_word(each): each for each in output.sources}
    unknown = words - by_word.keys() - _WORDS
    return output.sources if unknown else tuple(by_word[each] for each in by_word if each in words)


def copied(output: Output) -> str:
    """The source whose values the output is, perhaps under another type; else empty.

    Of a union, the first branch's.
    """
    if output.copy_of:
        return output.copy_of
    value = output.value
    while isinstance(value, exp.Cast | exp.Paren):
        value = value.this
    if len(output.sources) != 1 or not isinstance(value, exp.Var):
        return ""
    (reference,) = output.sources
    return reference if value.name == _source_word(reference) else ""


def _source_word(reference: str) -> str:
    head, _, name = reference.rpartition(".")
    return f"{head}.{name if name.isidentifier() else sql.quote(name, '')}"


# Their results tell nothing of the values but whether they are there and how many.
_TELL_NOTHING = (
    exp.Predicate, exp.Connector, exp.Not, exp.Count, exp.CountIf, exp.ApproxDistinct, exp.Length
)  # fmt: skip


def _shown(node: exp.Expr) -> Iterator[str]:
    """The words of an expression whose values its result may show."""
    if isinstance(node, exp.Var):
        yield node.name
        return
    if isinstance(node, _TELL_NOTHING):
        return
    parts = node.iter_expressions()
    if isinstance(node, exp.If):
        parts = (each for each in (node.args.get("true"), node.args.get("false")) if each)
    elif isinstance(node, exp.Case):
        branches = (*node.args["ifs"], node.args.get("default"))
        parts = (each for each in branches if each is not None)
    elif isinstance(node, exp.Window):
        parts = iter((node.this,))
    for each in parts:
        yield from _shown(each)


def _is_null(value: exp.Expr) -> bool:
    inner = value.this if isinstance(value, exp.Cast) else value
    return isinstance(inner, exp.Null)


@dataclass
class Names:
    """The names that the expressions of one SELECT may use.

    ``merged`` are the columns of JOIN USING, ``aliases`` the outputs so far (a select item may
    name an earlier one), ``outer`` the names around a correlated subquery.
    """

    relations: dict[str, Relation] = field(default_factory=dict)
    merged: dict[str, Output] = field(default_factory=dict)
    aliases: dict[str, Output] = field(default_factory=dict)
    outer: Names | None = None

    def resolve(self, table: str, name: str) -> Output:
        """What ``table.name`` or a bare ``name`` means here; case does not count."""
        found = self._qualified(table, name) if table else self._bare(name)
        if found is None and self.outer is not None:
            return self.outer.resolve(table, name)
        if found is not None:
            return found
        if not table and name.lower() in _WORDS:
            return Output(name, _word(name, None))
        return unresolved(name, f"nothing that it reads has {table + '.' if table else ''}{name}")

    def _qualified(self, table: str, name: str) -> Output | None:
        known = self.relations.get(table.lower())
        if known is not None:
            return known.column(name) or unresolved(name, f"{table} has no column {name}")
        record = self._owned(table)  # a field of a struct column
        if record is None:
            return None
        field_of = exp.Dot.build([record.part()[0], exp.to_identifier(name)])
        return combined(name, field_of, [record])

    def _bare(self, name: str) -> Output | None:
        found = self._owned(name) or self.aliases.get(name.lower())
        if found is not None:
            return found
        open_ones = {key: each for key, each in self.relations.items() if each.is_open}
        if len(open_ones) == 1:
            return next(iter(open_ones.values())).column(name)
        if open_ones:
            return unresolved(name, f"{name} may come from any of {', '.join(sorted(open_ones))}")
        if name.lower() in self.relations:  # a whole row as one value
            row = self.relations[name.lower()]
            return combined(name, _word(name, None), row.columns.values())
        return None

    def _owned(self, name: str) -> Output | None:
        """The column called so, if a relation is known to have it."""
        lower = name.lower()
        if lower in self.merged:
            return self.merged[lower]
        owners = [key for key, each in self.relations.items() if lower in each.columns]
        if len(owners) > 1:
            return unresolved(name, f"{name} may come from any of {', '.join(sorted(owners))}")
        return self.relations[owners[0]].columns[lower] if owners else None

    def everything(self, table: str = "") -> Iterator[Output]:
        """What a star stands for, in order; a column merged by USING comes once."""
        seen: set[str] = set()
        for key, each in self.relations.items():
            if table and key != table.lower():
                continue
            for name, column in each.columns.items():
                shared = not table and name in self.merged
                if not shared:
                    yield column
                elif name not in seen:
                    seen.add(name)
                    yield self.merged[name]

    def hidden(self, table: str = "") -> str:
        """Why a star cannot be expanded; empty when it can."""
        if table and table.lower() not in self.relations:
            return f"{table}.* is no relation that it reads"
        return next((each.unknown for each in self.under(table) if each.unknown), "")

    def under(self, table: str = "") -> list[Relation]:
        """The relations that a star, or the star of ``table``, is over."""
        return [each for key, each in self.relations.items() if table.lower() in ("", key)]
