"""Other ways to write a query, equal by algebra: a judge must call none of them wrong.

Each carries the law it rests on and is made only where the law's conditions hold, NULLs included.
Nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dbt_t2s import sql as language
from dbt_t2s.judge.sources import Sources
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.sql import exp

_TURNED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
}
_DENIED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GTE,
    exp.GT: exp.LTE,
    exp.LTE: exp.GT,
    exp.GTE: exp.LT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
}


@dataclass(frozen=True)
class Rewrite:
    """``law`` says why ``sql`` has the same result on any data."""

    kind: str
    sql: str
    law: str


Operator = Callable[[exp.Expr, Sources], exp.Expr | None]


def rewrites(sql: str, schema: ProjectSchema) -> tuple[Rewrite, ...]:
    """One of each kind that applies, in a stable order; SqlError if ``sql`` cannot be read."""
    tree = language.parse_one(sql, schema.dialect)
    sources = Sources(tree, schema)
    seen = {language.to_sql(tree, schema.dialect)}
    found: list[Rewrite] = []
    for kind, law, operator in _RULES:
        for new in _applied(tree, operator, sources):
            text = language.to_sql(new, schema.dialect, used_up=True)
            if text not in seen:
                seen.add(text)
                found.append(Rewrite(kind, text, law))
                break
    return tuple(found)


def _applied(tree: exp.Expr, operator: Operator, sources: Sources) -> Iterator[exp.Expr]:
    """The tree with each node changed in turn that the operator changes."""
    for place, node in enumerate(list(language.walk(tree))):
        new = operator(node, sources)
        if new is None:
            continue
        if node.parent is None:
            yield new
            continue
        copy = tree.copy()
        next(each for at, each in enumerate(language.walk(copy)) if at == place).replace(new)
        yield copy


def _conjuncts_turned(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    if not isinstance(node, exp.Where):
        return None
    parts = language.all_of(node.this)
    if len(parts) < 2:
        return None
    turned = exp.and_(*(_held(part) for part in reversed(parts)))
    return exp.Where(this=turned)


def _sides_turned(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    turned = _TURNED.get(type(node))
    if turned is None or isinstance(node.expression, exp.Subquery | exp.Select | exp.Any | exp.All):
        return None
    return turned(this=_operand(node.expression), expression=_operand(node.this))


def _terms_turned(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    """a + b and a * b of whole columns alone: floating point does not commute in longer sums."""
    if not isinstance(node, exp.Add | exp.Mul):
        return None
    if not isinstance(node.left, exp.Column) or not isinstance(node.right, exp.Column):
        return None
    return type(node)(this=node.right.copy(), expression=node.left.copy())


def _denied(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    """NOT of unknown is unknown, so NULLs come out alike."""
    other = _DENIED.get(type(node))
    if other is None or isinstance(node.expression, exp.Any | exp.All):
        return None
    return exp.not_(exp.paren(other(this=node.this.copy(), expression=node.expression.copy())))


def _twice_denied(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    if not isinstance(node, exp.Where):
        return None
    return exp.Where(this=exp.not_(exp.paren(exp.not_(exp.paren(node.this.copy())))))


def _between_split(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    if not isinstance(node, exp.Between) or node.args.get("symmetric"):
        return None
    low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
    high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
    return exp.paren(exp.and_(low, high))


def _between_joined(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    if not isinstance(node, exp.And) or not isinstance(node.right, exp.LTE):
        return None
    low, high = node.left, node.right
    if not isinstance(low, exp.GTE) or low.this != high.this:
        return None
    return exp.Between(this=low.this.copy(), low=low.expression.copy(), high=high.expression.copy())


def _listed_apart(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    if not isinstance(node, exp.In) or not node.expressions:
        return None
    equal = [exp.EQ(this=node.this.copy(), expression=e.copy()) for e in node.expressions]
    return exp.paren(exp.or_(*equal))


def _apart_listed(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    if not isinstance(node, exp.Or):
        return None
    sides = list(node.flatten())
    if not all(isinstance(each, exp.EQ) for each in sides) or len({e.this for e in sides}) != 1:
        return None
    return exp.In(this=sides[0].this.copy(), expressions=[e.expression.copy() for e in sides])


def _rows_counted(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
        return exp.Count(this=exp.Literal.number(1))
    return None


def _filled_counted(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    """count(x) where x is never null, in a SELECT whose joins leave it so."""
    if not isinstance(node, exp.Count) or not isinstance(node.this, exp.Column):
        return None
    known = sources.column(node.this)
    return exp.Count(this=exp.Star()) if known is not None and known.never_null else None


def _wrapped(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    """Only the whole query, where all its columns have names and it sorts nothing."""
    if node.parent is not None or not isinstance(node, exp.Select) or _is_sorted(node):
        return None
    if not _is_named(node) or node.args.get("with_") is not None:
        return None
    return exp.select("*").from_(exp.Subquery(this=node.copy(), alias=_alias("q")))


def _as_cte(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    if node.parent is not None or not isinstance(node, exp.Select) or _is_sorted(node):
        return None
    if not _is_named(node) or node.args.get("with_") is not None:
        return None
    return exp.select("*").from_("q").with_("q", as_=node.copy())


def _grouped_otherwise(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    if not isinstance(node, exp.Group) or len(node.expressions) < 2:
        return None
    if any(value for key, value in node.args.items() if key != "expressions"):
        return None
    return exp.Group(expressions=[each.copy() for each in reversed(node.expressions)])


def _joined_otherwise(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    """The two tables of one inner join change places."""
    if not isinstance(node, exp.Select) or node.is_star:
        return None
    joins = node.args.get("joins") or []
    start = node.args.get("from_")
    if len(joins) != 1 or not isinstance(start, exp.From):
        return None
    join = joins[0]
    if join.side or join.method or (join.kind or "INNER") != "INNER" or not join.args.get("on"):
        return None
    if not isinstance(start.this, exp.Table) or not isinstance(join.this, exp.Table):
        return None
    copy = node.copy()
    other = copy.args["joins"][0]
    copy.set("from_", exp.From(this=join.this.copy()))
    other.set("this", start.this.copy())
    return copy


def _found_otherwise(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    """x IN (SELECT y …) as EXISTS, both never null, in WHERE alone and of one table each."""
    query = node.args.get("query") if isinstance(node, exp.In) else None
    if not isinstance(node, exp.In) or query is None or not isinstance(node.this, exp.Column):
        return None
    inner = query.unnest()
    simple = isinstance(inner, exp.Select) and not any(
        inner.args.get(each) for each in ("group", "limit", "having", "distinct", "joins", "with_")
    )
    if not simple or len(inner.expressions) != 1 or not node.this.table:
        return None
    given, wanted = sources.column(node.this), sources.column(inner.expressions[0].unalias())
    if given is None or wanted is None or not (given.never_null and wanted.never_null):
        return None
    if wanted.source == given.source or any(
        each.table and each.table.lower() != wanted.source for each in inner.find_all(exp.Column)
    ):
        return None
    copy = inner.copy()
    column = exp.column(wanted.column.name, table=wanted.source, quoted=True)
    copy = copy.where(exp.EQ(this=column, expression=node.this.copy()), copy=False)
    copy.set("expressions", [exp.Literal.number(1)])
    return exp.Exists(this=copy)


def _filtered_after(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    """HAVING over an output as a filter on the grouped query."""
    if node.parent is not None or not isinstance(node, exp.Select) or _is_sorted(node):
        return None
    having = node.args.get("having")
    if having is None or not _is_named(node) or node.args.get("qualify"):
        return None
    condition = having.this.copy()
    names = {each.unalias(): each.alias_or_name for each in node.expressions}
    for aggregate in list(condition.find_all(exp.AggFunc)):
        if aggregate not in names or aggregate is condition:
            return None
        aggregate.replace(exp.column(names[aggregate], quoted=True))
    if any(each.name not in names.values() for each in condition.find_all(exp.Column)):
        return None
    inner = node.copy()
    inner.set("having", None)
    return exp.select("*").from_(exp.Subquery(this=inner, alias=_alias("q"))).where(condition)


def _renamed(node: exp.Expr, sources: Sources) -> exp.Expr | None:
    """Every table under another alias, where each column says whose it is."""
    if node.parent is not None or not isinstance(node, exp.Select):
        return None
    if len(list(node.find_all(exp.Select))) != 1 or node.is_star:
        return None
    names = [name for name, table, _ in sources.of_select(node) if table is not None]
    columns = list(node.find_all(exp.Column))
    if len(names) != len(sources.of_select(node)) or len(set(names)) != len(names):
        return None
    if any(each.table.lower() not in names for each in columns):
        return None
    copy = node.copy()
    for table in copy.find_all(exp.Table):
        table.set("alias", _alias(f"r{names.index(table.alias_or_name.lower())}"))
    for column in copy.find_all(exp.Column):
        column.set("table", exp.to_identifier(f"r{names.index(column.table.lower())}"))
    return copy


_RULES: tuple[tuple[str, str, Operator], ...] = (
    ("conjuncts", "x AND y = y AND x", _conjuncts_turned),
    ("sides", "a < b = b > a", _sides_turned),
    ("terms", "a + b = b + a", _terms_turned),
    ("denial", "a < b = NOT a >= b, both unknown where a side is NULL", _denied),
    ("double denial", "NOT NOT x = x", _twice_denied),
    ("between", "x BETWEEN a AND b = x >= a AND x <= b", _between_split),
    ("between", "x >= a AND x <= b = x BETWEEN a AND b", _between_joined),
    ("list", "x IN (a, b) = x = a OR x = b", _listed_apart),
    ("list", "x = a OR x = b = x IN (a, b)", _apart_listed),
    ("count", "count(*) = count(1)", _rows_counted),
    ("count", "count(x) = count(*) where x is never null", _filled_counted),
    ("subquery", "SELECT * FROM (q) = q where nothing is sorted", _wrapped),
    ("CTE", "WITH q AS (…) SELECT * FROM q = q where nothing is sorted", _as_cte),
    ("group order", "the keys of GROUP BY are a set", _grouped_otherwise),
    ("join order", "an inner join commutes", _joined_otherwise),
    ("exists", "x IN (SELECT y) = EXISTS (… y = x) where neither is NULL", _found_otherwise),
    ("having", "HAVING is a filter on the groups", _filtered_after),
    ("aliases", "a table's alias is a bound name", _renamed),
)


def _held(part: exp.Expr) -> exp.Expr:
    return exp.paren(part.copy()) if isinstance(part, exp.Or) else part.copy()


def _operand(node: exp.Expr) -> exp.Expr:
    """Brackets around what binds less tightly than a comparison."""
    bare = isinstance(node, exp.Column | exp.Literal | exp.Func | exp.Cast | exp.Paren | exp.Neg)
    return node.copy() if bare else exp.paren(node.copy())


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name))


def _is_sorted(select: exp.Select) -> bool:
    return any(select.args.get(each) for each in ("order", "limit", "offset"))


def _is_named(select: exp.Select) -> bool:
    names = [each.alias_or_name.lower() for each in select.expressions]
    return not select.is_star and all(names) and len(set(names)) == len(names)
