"""Mistakes of whole clauses: filters, rules, joins, grouping, order, DISTINCT, LIMIT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbt_t2s import sql as language
from dbt_t2s.judge.sources import Sources
from dbt_t2s.sql import exp

Change = tuple[str, exp.Expr | None]


def filters(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """Each conjunct of WHERE, HAVING, QUALIFY, FILTER and CASE WHEN lost in turn."""
    if not isinstance(node, exp.Where | exp.Having | exp.Qualify | exp.If):
        return
    parts = language.all_of(node.this)
    for lost in range(len(parts)):
        kept = [*parts[:lost], *parts[lost + 1 :]]
        if isinstance(node, exp.Qualify):
            yield "filter", _with_condition(node, kept)
        elif isinstance(node, exp.If):
            yield "case condition", _with_condition(node, kept)
        else:
            yield "filter", _with_condition(node, kept)


def rules(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """The conjuncts of a business rule that always holds lost together."""
    if not isinstance(node, exp.Where):
        return
    dialect = sources.dialect
    parts = language.all_of(node.this)
    texts = [_plain(part, dialect) for part in parts]
    for rule in sources.schema.rules:
        if not (rule.always and rule.predicate):
            continue
        wanted = {
            language.unqualify(each, dialect)
            for each in language.conjuncts(rule.predicate, dialect)
        }
        if len(wanted) > 1 and wanted <= set(texts):
            kept = [each for each, text in zip(parts, texts, strict=True) if text not in wanted]
            yield "rule", _with_condition(node, kept)


def joins(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """LEFT for INNER and back, a lost condition, another key."""
    condition = node.args.get("on")
    if not isinstance(node, exp.Join) or not isinstance(condition, exp.Expr):
        return
    side = str(node.side or "").upper()
    if side in ("", "LEFT"):
        other = node.copy()
        other.set("side", None if side else "LEFT")
        other.set("kind", None)
        yield "join side", other
    parts = language.all_of(condition)
    for lost in range(len(parts)):
        kept = [each.copy() for each in (*parts[:lost], *parts[lost + 1 :])]
        fanned = node.copy()
        fanned.set("on", exp.and_(*kept) if kept else exp.true())
        yield "join condition", fanned
        yield from _other_key(node, lost, sources)


def _other_key(node: exp.Join, at: int, sources: Sources) -> Iterator[Change]:
    """The condition with the key of another reference of the same table."""
    part = language.all_of(node.args["on"])[at]
    if not isinstance(part, exp.EQ):
        return
    known = sources.column(part.this)
    if known is None:
        return
    edges = [each for each in sources.schema.joins if each.table == known.table.name]
    others = sorted({each.columns[0] for each in edges if len(each.columns) == 1})
    names = [name for name in others if name != known.column.name]
    if names:
        changed = node.copy()
        column = language.all_of(changed.args["on"])[at].this
        column.set("this", exp.to_identifier(names[0], quoted=not names[0].isidentifier()))
        yield "join key", changed


def grouping(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """Each key of GROUP BY lost: what it gave becomes one of its values."""
    group = node.args.get("group")
    if not isinstance(node, exp.Select) or not isinstance(group, exp.Group):
        return
    keys = group.expressions
    if not keys or len(keys) != sum(len(each) for each in _key_lists(group)):
        return
    for lost in range(len(keys)):
        changed = _ungrouped(node, lost)
        if changed is not None:
            yield "grouping", changed


def _key_lists(group: exp.Group) -> list[list[exp.Expr]]:
    return [each for each in group.args.values() if isinstance(each, list)]


def _ungrouped(select: exp.Select, lost: int) -> exp.Expr | None:
    copy = select.copy()
    key = copy.args["group"].expressions[lost]
    outputs = copy.expressions
    where = _output_of(key, outputs)
    if where is None:
        return None
    output = outputs[where]
    name = output.alias_or_name
    inner = exp.Min(this=output.unalias().copy())
    output.replace(exp.alias_(inner, name) if name else inner)
    key.pop()
    if not copy.args["group"].expressions:
        copy.set("group", None)
    return copy


def _output_of(key: exp.Expr, outputs: Sequence[exp.Expr]) -> int | None:
    """Where the output that a key of GROUP BY names stands."""
    if isinstance(key, exp.Literal) and key.is_int:
        at = int(key.this) - 1
        return at if 0 <= at < len(outputs) else None
    found = [at for at, each in enumerate(outputs) if each.unalias() == key]
    return found[0] if found else None


def order(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """ORDER BY turned, key by key."""
    if isinstance(node, exp.Ordered):
        turned = exp.Ordered(this=node.this.copy(), desc=not node.args.get("desc"))
        turned.set("nulls_first", node.args.get("nulls_first"))
        yield "order", turned


def distinct(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """A lost DISTINCT."""
    if isinstance(node, exp.Select) and node.args.get("distinct"):
        copy = node.copy()
        copy.set("distinct", None)
        yield "distinct", copy


def limits(node: exp.Expr, sources: Sources) -> Iterator[Change]:
    """LIMIT one higher and one lower."""
    if isinstance(node, exp.Limit) and isinstance(node.expression, exp.Literal):
        count = int(node.expression.this)
        yield "limit", exp.Limit(expression=exp.Literal.number(count + 1))
        yield "limit", exp.Limit(expression=exp.Literal.number(max(count - 1, 0)))


OPERATORS = (filters, rules, joins, grouping, order, distinct, limits)


def _with_condition(node: exp.Expr, kept: Sequence[exp.Expr]) -> exp.Expr | None:
    """A clause with the conditions that are left; no clause where none is."""
    if not kept and not isinstance(node, exp.If):
        return None
    copy = node.copy()
    held = [exp.paren(each.copy()) if isinstance(each, exp.Or) else each.copy() for each in kept]
    copy.set("this", exp.and_(*held) if held else exp.true())
    return copy


def _plain(part: exp.Expr, dialect: str) -> str:
    """A condition as rules are compared: bare columns, ``x = false`` as ``NOT x``."""
    return language.unqualify(
        language.conjuncts(language.to_sql(part, dialect), dialect)[0], dialect
    )
