"""Other forms of an example's SQL that say the same, each by a law of SQL.

The house form stays what a model is taught to write; the others teach it to read what people wrote.
A form is kept only if it gives the same result on every instance of the warehouse.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

from dbt_t2s import sql as language
from dbt_t2s.corpus.examples import Example
from dbt_t2s.corpus.lessons import Variation
from dbt_t2s.corpus.recovery import Same
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.sql import SqlError, exp

MOST = 200


def variations(
    examples: Sequence[Example],
    schema: ProjectSchema,
    executes: Sequence[Execute],
    same: Same,
    *,
    seed: int = 0,
    most: int = MOST,
) -> tuple[Variation, ...]:
    """Up to ``most`` variations of training examples, one for each; of each law about as many."""
    asked = [each for each in examples if each.split == "train" and each.sql]
    Random(f"variations {seed}").shuffle(asked)
    laws: Counter[str] = Counter()
    found: list[Variation] = []
    for example in asked:
        if len(found) >= most:
            break
        try:
            made = sorted(forms(example.sql, schema.dialect), key=lambda pair: laws[pair[0]])
        except SqlError:
            continue  # SQL that only MetricFlow can write may be more than the parser reads
        for law, text in made[:2]:
            if _agree(example.sql, text, executes, same):
                laws[law] += 1
                identity = hashlib.sha256(f"{example.question}\n{text}".encode()).hexdigest()[:16]
                row = (identity, example.split, example.question, text, example.sql, law)
                found.append(Variation(*row))
                break
    return tuple(found)


def forms(sql: str, dialect: str) -> Iterator[tuple[str, str]]:
    """(law, other form) of one query, in a fixed order; SqlError if it cannot be read."""
    tree = language.parse_one(sql, dialect)
    if not isinstance(tree, exp.Select):
        return
    house = language.to_sql(tree, dialect)
    for law, make in _LAWS:
        changed = make(tree.copy())
        if changed is not None:
            text = language.to_sql(changed, dialect)
            if text != house:
                yield law, text


def _agree(house: str, other: str, executes: Sequence[Execute], same: Same) -> bool:
    for execute in executes:
        gold, got = execute(house), execute(other)
        if isinstance(gold, QueryError) or isinstance(got, QueryError) or gold.truncated:
            return False
        if not same(gold, got, house):
            return False
    return bool(executes)


def _turned(tree: exp.Select) -> exp.Expr | None:
    """``a AND b`` as ``b AND a``."""
    where = tree.args.get("where")
    parts = language.all_of(where.this) if where is not None else []
    if len(parts) < 2:
        return None
    turned = [exp.paren(p.copy()) if isinstance(p, exp.Or) else p.copy() for p in reversed(parts)]
    tree.set("where", exp.Where(this=exp.and_(*turned)))
    return tree


def _wrapped(tree: exp.Select) -> exp.Expr | None:
    """A query as a CTE that is selected whole; order and limit stay outside."""
    names = [each.alias_or_name for each in tree.expressions]
    if tree.args.get("with_") or not all(names) or len(set(names)) < len(names) or "*" in names:
        return None
    order, limit = tree.args.get("order"), tree.args.get("limit")
    if order is not None and not _by_outputs(order, names):
        return None
    tree.set("order", None)
    tree.set("limit", None)
    outer = exp.select(*[exp.column(name, quoted=not name.isidentifier()) for name in names])
    outer = outer.from_("result").with_("result", as_=tree)
    outer.set("order", order)
    outer.set("limit", limit)
    return outer


def _by_outputs(order: exp.Expr, names: Sequence[str]) -> bool:
    keys = [each.this for each in order.expressions if isinstance(each, exp.Ordered)]
    return all(isinstance(k, exp.Column) and not k.table and k.name in names for k in keys)


def _between(tree: exp.Select) -> exp.Expr | None:
    """``x BETWEEN a AND b`` as two comparisons."""
    spans = list(tree.find_all(exp.Between))
    for each in spans:
        if each.args.get("symmetric"):
            return None
        low = exp.GTE(this=each.this.copy(), expression=each.args["low"].copy())
        high = exp.LTE(this=each.this.copy(), expression=each.args["high"].copy())
        each.replace(exp.paren(exp.and_(low, high)))
    return tree if spans else None


def _listed(tree: exp.Select) -> exp.Expr | None:
    """``x IN (a, b)`` as ``x = a OR x = b``."""
    lists = [each for each in tree.find_all(exp.In) if each.expressions]
    for each in lists:
        sides = [exp.EQ(this=each.this.copy(), expression=v.copy()) for v in each.expressions]
        each.replace(exp.paren(exp.or_(*sides)))
    return tree if lists else None


def _counted(tree: exp.Select) -> exp.Expr | None:
    """``count(*)`` as ``count(1)``."""
    counts = [each for each in tree.find_all(exp.Count) if isinstance(each.this, exp.Star)]
    for each in counts:
        each.set("this", exp.Literal.number(1))
    return tree if counts else None


def _flipped(tree: exp.Select) -> exp.Expr | None:
    """``a < b`` as ``b > a``."""
    found = [each for each in tree.find_all(*_MIRROR) if type(each) in _MIRROR]
    for each in found:
        mirrored = _MIRROR[type(each)]
        each.replace(mirrored(this=each.expression.copy(), expression=each.this.copy()))
    return tree if found else None


def _positions(tree: exp.Select) -> exp.Expr | None:
    """GROUP BY an output as its position."""
    group = tree.args.get("group")
    if group is None or not group.expressions:
        return None
    outputs = [each.unalias() for each in tree.expressions]
    if not all(key in outputs for key in group.expressions):
        return None
    at = [exp.Literal.number(outputs.index(key) + 1) for key in group.expressions]
    group.set("expressions", at)
    return tree


def _exists(tree: exp.Select) -> exp.Expr | None:
    """``x IN (SELECT y …)`` as EXISTS, outside NOT: there NULL in the list tells them apart."""
    changed = False
    for each in list(tree.find_all(exp.In)):
        query = each.args.get("query")
        inner = query.unnest() if isinstance(query, exp.Expr) else None
        if not isinstance(inner, exp.Select) or each.find_ancestor(exp.Not) is not None:
            continue
        plain = not any(inner.args.get(k) for k in ("group", "limit", "distinct", "having"))
        named = isinstance(each.this, exp.Column) and each.this.table
        if not plain or not named or len(inner.expressions) != 1:
            continue
        output = inner.expressions[0].unalias()
        if not isinstance(output, exp.Column) or output.table == each.this.table:
            continue
        test = inner.copy().where(exp.EQ(this=output.copy(), expression=each.this.copy()))
        test.set("expressions", [exp.Literal.number(1)])
        each.replace(exp.Exists(this=test))
        changed = True
    return tree if changed else None


_MIRROR: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
}
_LAWS: tuple[tuple[str, Callable[[exp.Select], exp.Expr | None]], ...] = (
    ("a AND b = b AND a", _turned),
    ("a query is what a CTE of it gives", _wrapped),
    ("BETWEEN is two comparisons", _between),
    ("IN is equality with one of a list", _listed),
    ("count(*) = count(1)", _counted),
    ("a < b = b > a", _flipped),
    ("GROUP BY an output = GROUP BY its position", _positions),
    ("IN a subquery = EXISTS", _exists),
)
