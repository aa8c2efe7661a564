"""One statement → its output columns, each with what it is made from.

The statement is walked once: every CTE and subquery is read when it is met and its outputs are
kept, so the cost grows with the text and not with the depth of its chains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import sql
from dbt_t2s.project import cases
from dbt_t2s.project.outputs import (
    Names,
    Output,
    Relation,
    combined,
    relation,
    union,
    unresolved,
)
from dbt_t2s.sql import exp

# Lower-case name parts of a relation (database, schema, name; as many as are written) → what it is.
Lookup = Callable[[tuple[str, ...]], Relation]

Ctes = Mapping[str, Relation]


@dataclass(frozen=True)
class Traced:
    """A query's outputs; ``hidden`` says why there are more, empty when these are all.

    What is hidden is passed on from the node ``unique_id``, where that can be told.
    """

    outputs: tuple[Output, ...]
    hidden: str = ""
    unique_id: str = ""

    def relation(self, names: Sequence[str] = ()) -> Relation:
        """The query as something that another one reads, its columns renamed to ``names``."""
        return relation(self.outputs, names, self.hidden, self.unique_id)


def trace(tree: exp.Expr, dialect: str, lookup: Lookup) -> Traced:
    """The outputs of a query, whose tree is left as it is. ``SqlError`` if it is no query."""
    if not sql.is_select(tree):
        raise sql.SqlError(f"a {tree.key} is no query")
    return _Tracer(dialect, lookup).query(tree, {}, None)


@dataclass(frozen=True)
class _Tracer:
    dialect: str
    lookup: Lookup

    def query(self, node: exp.Expr, ctes: Ctes, outer: Names | None) -> Traced:
        """A SELECT, a set operation over some, or either in brackets."""
        ctes = self._with(node, ctes, outer)
        if isinstance(node, exp.Subquery | exp.Paren):
            return self.query(node.this, ctes, outer)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, ctes, outer)
        if isinstance(node, exp.Select):
            return self._select(node, ctes, outer)
        if isinstance(node, exp.Values):
            return Traced(tuple(_values(node)))
        if isinstance(node, exp.Table):  # `TABLE t`, or a bare table in brackets
            known = self._relation(node, ctes, Names(outer=outer))
            return Traced(tuple(known.columns.values()), known.unknown, known.unique_id)
        return Traced((), f"a {node.key} in it cannot be followed")

    def _with(self, node: exp.Expr, ctes: Ctes, outer: Names | None) -> Ctes:
        written = node.args.get("with_")
        if written is None:
            return ctes
        known = dict(ctes)
        for cte in written.expressions:
            name, names = cte.alias.lower(), cte.alias_column_names
            query = cte.this
            if written.recursive and isinstance(query, exp.SetOperation):
                start = self.query(query.left, known, outer)
                known[name] = start.relation(names)
            known[name] = self.query(query, known, outer).relation(names)
        return known

    def _set_operation(self, node: exp.SetOperation, ctes: Ctes, outer: Names | None) -> Traced:
        branches: list[exp.Expr] = []
        here: exp.Expr = node
        while isinstance(here, exp.SetOperation) and (here is node or not here.args.get("with_")):
            if isinstance(here, exp.Union):
                branches.append(here.expression)  # EXCEPT and INTERSECT only take rows away
            here = here.this
        found = [self.query(each, ctes, outer) for each in (here, *reversed(branches))]
        hidden = next((each.hidden for each in found if each.hidden), "")
        of_nodes = {each.unique_id for each in found}
        only = of_nodes.pop() if len(of_nodes) == 1 else ""
        rows = [each.outputs for each in found]
        if node.args.get("by_name"):
            named = [{each.name.lower(): each for each in row} for row in rows]
            order = dict.fromkeys(key for each in named for key in each)
            columns = [[each[key] for each in named if key in each] for key in order]
        else:
            columns = [[row[i] for row in rows if i < len(row)] for i in range(len(rows[0]))]
        merged = (union(each[0].name, each, self.dialect) for each in columns)
        return Traced(tuple(merged), hidden, only)

    def _select(self, node: exp.Select, ctes: Ctes, outer: Names | None) -> Traced:
        names = self._names(node, ctes, outer)
        outputs: list[Output] = []
        hidden: dict[str, str] = {}  # reasons, each with the node that the hidden columns are of
        for item in list(node.expressions):
            before = len(outputs)
            if item.find(exp.Columns):
                hidden["COLUMNS(…) in it is not expanded"] = ""
            elif _is_star(item):
                table = item.table if isinstance(item, exp.Column) else ""
                if why := names.hidden(table):
                    open_ones = [each for each in names.under(table) if each.unknown]
                    hidden[why] = open_ones[0].unique_id if len(open_ones) == 1 else ""
                outputs += self._star(item, table, names, ctes)
            else:
                outputs += self._item(item, names, ctes)
            for each in outputs[before:]:
                names.aliases.setdefault(each.name.lower(), each)
        only = next(iter(hidden.values())) if len(hidden) == 1 else ""
        return Traced(tuple(outputs), next(iter(hidden), ""), only)

    def _item(self, item: exp.Expr, names: Names, ctes: Ctes) -> list[Output]:
        name = item.alias_or_name if isinstance(item, exp.Alias | exp.Column) else item.output_name
        found = self._value(item.unalias(), name, names, ctes)
        if isinstance(item, exp.Aliases):  # one call with several outputs
            return [replace(found, name=str(each)) for each in item.aliases]
        return [found]

    def _value(self, node: exp.Expr, name: str, names: Names, ctes: Ctes) -> Output:
        """An expression, with what it reads written as sources."""
        if isinstance(node, exp.Column) and not node.is_star:
            return replace(names.resolve(node.table, node.name), name=name or node.name)
        terms = cases.labels(node, self.dialect) if isinstance(node, exp.Case) else ()
        # A copy to be changed, in something where the expression itself can be replaced.
        holder = exp.Paren(this=node.copy())
        node = holder.this
        stop = (exp.Column, exp.Query)
        nodes = list(node.walk(prune=lambda each: isinstance(each, stop)))
        parts: list[Output] = []
        size = len(nodes)
        for each in nodes:
            if isinstance(each, exp.Column) and each.is_star:
                each.replace(exp.Star())
                continue
            if isinstance(each, exp.Column):
                part = names.resolve(each.table, each.name)
            elif isinstance(each, exp.Query):
                part = self._scalar(each, names, ctes)
            else:
                continue
            value, added = part.part()
            simple = isinstance(value, exp.Var | exp.Func | exp.Literal)
            each.replace(value if simple else exp.paren(value, copy=False))
            parts.append(part)
            size += added
        value = holder.this
        sql.infer_type(value, self.dialect)
        return replace(combined(name, value, parts, size), terms=terms)

    def _scalar(self, node: exp.Expr, names: Names, ctes: Ctes) -> Output:
        """A query that stands for a value, a list of them or their existence."""
        found = self.query(node, ctes, names)
        if not found.outputs:
            return unresolved("", found.hidden or "a query in it selects nothing")
        first = found.outputs[0]
        return combined(first.name, first.value, found.outputs, first.size)

    def _star(self, item: exp.Expr, table: str, names: Names, ctes: Ctes) -> Iterator[Output]:
        star = item.this if isinstance(item, exp.Column) else item
        dropped = {each.name.lower() for each in star.args.get("except_") or ()}
        replaced = {each.alias.lower(): each for each in star.args.get("replace") or ()}
        renamed = {each.this.name.lower(): each.alias for each in star.args.get("rename") or ()}
        for each in list(names.everything(table)):
            lower = each.name.lower()
            if lower in replaced:
                yield from self._item(replaced[lower], names, ctes)
            elif lower not in dropped:
                yield replace(each, name=renamed.get(lower, each.name))

    def _names(self, node: exp.Select, ctes: Ctes, outer: Names | None) -> Names:
        names = Names(outer=outer)
        for each, join in _from(node):
            if join is not None and join.kind in ("SEMI", "ANTI"):
                continue
            found = self._relation(each, ctes, names)
            key = each.alias_or_name.lower() or f"_{len(names.relations)}"
            shared = _shared(join, names, found) if join is not None else ()
            for name in shared:
                names.merged[name] = _merged(name, join, names, found)
            names.relations[key] = found
        return names

    def _relation(self, node: exp.Expr, ctes: Ctes, names: Names) -> Relation:
        """What one item of a FROM is; a lateral one may use the names before it."""
        if node.args.get("pivots"):
            return Relation({}, "a PIVOT in it is not followed")
        aliases = node.alias_column_names if isinstance(node, exp.Table | exp.Subquery) else []
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            parts = tuple(part.name.lower() for part in node.parts)
            in_row = len(parts) > 1 and parts[0] in names.relations  # `from t, t.items`
            if in_row:
                made_of = names.resolve(parts[0], parts[1])
                return Relation({}, "an unnested list", made_of=(made_of,))
            known = ctes.get(parts[0]) if len(parts) == 1 else None
            known = known or self.lookup(parts)
            if not aliases:
                return known
            return relation(known.columns.values(), aliases, known.unknown, known.unique_id)
        if isinstance(node, exp.Subquery):
            return self.query(node, ctes, names).relation(aliases)
        if isinstance(node, exp.Values):
            return relation(_values(node), node.alias_column_names)
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            return self.query(node.this, ctes, names).relation(node.alias_column_names)
        return self._function(node, ctes, names)

    def _function(self, node: exp.Expr, ctes: Ctes, names: Names) -> Relation:
        """A table function: whatever it puts out is made from what it is given."""
        node = node.copy()
        alias = node.args.get("alias")
        listed = [each.name for each in alias.columns] if alias is not None else []
        node.set("alias", None)
        made = self._value(node, "", names, ctes)
        outputs = [replace(made, name=each) for each in listed]
        if alias is not None and alias.name and len(listed) == 0:
            outputs.append(replace(made, name=alias.name))
        return Relation(
            {each.name.lower(): each for each in outputs},
            "" if listed else f"the columns of {node.key}(…) are not known",
            made_of=(made,),
        )


def _is_star(item: exp.Expr) -> bool:
    inner = item.this if isinstance(item, exp.Column) else item
    return isinstance(inner, exp.Star)


def _from(node: exp.Select) -> Iterator[tuple[exp.Expr, exp.Join | None]]:
    """The items of a FROM in order, each with the join that brings it in."""
    start = node.args.get("from_")
    if start is not None:
        yield from _nested(start.this, None)
    for join in node.args.get("joins") or ():
        yield from _nested(join.this, join)
    for lateral in node.args.get("laterals") or ():
        yield lateral, None


def _nested(node: exp.Expr, join: exp.Join | None) -> Iterator[tuple[exp.Expr, exp.Join | None]]:
    """``node`` and what is joined to it inside brackets (`from (a join b on …)`)."""
    bracketed = isinstance(node, exp.Subquery | exp.Paren) and isinstance(node.this, exp.Table)
    if bracketed and not node.alias:
        yield from _nested(node.this, join)
    else:
        yield node, join
    for inner in node.args.get("joins") or ():
        yield from _nested(inner.this, inner)


def _shared(join: exp.Join, names: Names, found: Relation) -> tuple[str, ...]:
    """The columns that JOIN USING or a natural join makes one of."""
    using = tuple(each.name.lower() for each in join.args.get("using") or ())
    if using or join.method != "NATURAL":
        return using
    before = {name for each in names.relations.values() for name in each.columns}
    return tuple(name for name in found.columns if name in before)


def _merged(name: str, join: exp.Join | None, names: Names, found: Relation) -> Output:
    left, right = names.resolve("", name), found.column(name)
    side = join.side if join is not None else ""
    if right is None or side not in ("FULL", "RIGHT"):
        return left
    if side == "RIGHT":
        return right
    value = exp.Coalesce(this=left.part()[0], expressions=[right.part()[0]])
    value.type = left.value.type
    return combined(left.name, value, (left, right), left.size + right.size + 1)


def _values(node: exp.Values) -> Iterator[Output]:
    first = node.expressions[0] if node.expressions else None
    for index, each in enumerate(first.expressions if first is not None else ()):
        yield Output(f"col{index}", each.copy())
