"""Why a near miss is none: proofs from keys, not-null columns and the shape of the query.

Nothing here looks at data or runs anything. What no law covers counts as a real mistake.
"""

from __future__ import annotations

from collections.abc import Callable

from dbt_t2s import sql as language
from dbt_t2s.judge.sources import Known, Sources
from dbt_t2s.judge.truth import same_truth
from dbt_t2s.project.schema import Cardinality
from dbt_t2s.sql import exp

_CLAUSES = (exp.Where, exp.If, exp.Having)


def law_of(kind: str, node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """The law by which a change of ``node`` changes no result; empty where none is known."""
    law = _LAWS.get(kind)
    found = law(node, new, sources) if law is not None else ""
    return found or _same_values(node, new)


def _same_values(node: exp.Expr, new: exp.Expr | None) -> str:
    """The condition that a changed comparison stands in holds of the same values as before.

    As where a span ends later, and the next one, joined by OR, begins where it ended.
    """
    place = node
    while place.parent is not None and not isinstance(place.parent, _CLAUSES):
        place = place.parent
    if new is None or not isinstance(place.parent, _CLAUSES) or place is node:
        return ""
    after = place.copy()
    changed = next(
        copied
        for original, copied in zip(language.walk(place), list(language.walk(after)), strict=True)
        if original is node
    )
    changed.replace(new.copy())
    parts, others = language.all_of(place), language.all_of(after)
    texts = {_written(each) for each in others} & {_written(each) for each in parts}
    lost = [each for each in parts if _written(each) not in texts]
    made = [each for each in others if _written(each) not in texts]
    columns = {_written(each) for part in (*lost, *made) for each in part.find_all(exp.Column)}
    kept = [each for each in parts if _written(each) in texts and _reads(each) == columns]
    if same_truth((*lost, *kept), (*made, *kept)):
        return "the condition holds of the same values"
    return ""


def _written(node: exp.Expr) -> str:
    return language.to_sql(node, "duckdb")


def _reads(node: exp.Expr) -> set[str]:
    return {_written(each) for each in node.find_all(exp.Column)}


def _filter(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """A condition that stands twice, or that the schema promises."""
    before = [_text(each, sources) for each in language.all_of(node.this)]
    after = [] if new is None else [_text(each, sources) for each in language.all_of(new.this)]
    if set(before) == set(after):
        return "x AND x = x"
    lost = [each for each in language.all_of(node.this) if _text(each, sources) not in after]
    if all(_always_holds(each, sources) for each in lost):
        return "IS NOT NULL holds of a column that is never null"
    return ""


def _always_holds(part: exp.Expr, sources: Sources) -> bool:
    if not (isinstance(part, exp.Not) and isinstance(part.this, exp.Is)):
        return False
    known = sources.column(part.this.this)
    return known is not None and known.never_null and isinstance(part.this.expression, exp.Null)


def _count_distinct(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """Keys are distinct already where no join repeats the rows of their table."""
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    column = _guarded_column(inner)
    known = sources.column(column)
    select = node.find_ancestor(exp.Select)
    if known is None or select is None or not sources.is_key(known):
        return ""
    of = sources.of_select(select)
    first = bool(of) and of[0][0] == known.source
    if first and not sources.repeats_rows(select):
        return "a key is distinct where no join repeats its rows"
    return ""


def _guarded_column(node: exp.Expr) -> exp.Expr:
    """The column in ``case when … then column end``."""
    if isinstance(node, exp.Case) and len(node.args["ifs"]) == 1 and not node.args.get("default"):
        return _guarded_column(node.args["ifs"][0].args["true"])
    return node


def _join_side(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """INNER and LEFT agree where every row has its partner, or where WHERE wants one."""
    select = node.find_ancestor(exp.Select)
    if select is None or not isinstance(node, exp.Join):
        return ""
    name = node.this.alias_or_name.lower()
    if _wants_row(select, name, sources):
        return "WHERE rejects the rows that LEFT adds"
    table = sources.table(node.this)
    pairs = _key_pairs(node, name)
    if table is None or len(pairs) != len(language.all_of(node.args["on"])):
        return ""
    known = [sources.column(own) for own, _ in pairs]
    if any(each is None or not each.never_null for each in known):
        return ""
    tables = {each.table.name for each in known if each is not None}
    names = {(own.name.lower(), to.name.lower()) for own, to in pairs}
    for edge in sources.schema.joins:
        same = {(a.lower(), b.lower()) for a, b in zip(edge.columns, edge.to_columns, strict=True)}
        if (
            {edge.table} == tables
            and edge.to_table == table.name
            and same == names
            and any(each.startswith("test.") for each in edge.evidence)
            and edge.cardinality in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_ONE)
        ):
            return "a reference that is never null and always found joins as well with LEFT"
    return ""


def _key_pairs(join: exp.Join, name: str) -> list[tuple[exp.Column, exp.Column]]:
    """(the other side's column, the joined table's) of each equality."""
    pairs: list[tuple[exp.Column, exp.Column]] = []
    for part in language.all_of(join.args["on"]):
        if not isinstance(part, exp.EQ):
            continue
        left, right = part.this, part.expression
        if not (isinstance(left, exp.Column) and isinstance(right, exp.Column)):
            continue
        if right.table.lower() == name and left.table.lower() != name:
            pairs.append((left, right))
        elif left.table.lower() == name and right.table.lower() != name:
            pairs.append((right, left))
    return pairs


def _wants_row(select: exp.Select, name: str, sources: Sources) -> bool:
    """Whether a conjunct of WHERE, or a later inner join, is not true where ``name`` is NULL."""
    where = select.args.get("where")
    conditions = language.all_of(where.this) if where is not None else []
    later = False
    for join in select.args.get("joins") or ():
        inner = not join.side and join.args.get("on") is not None
        if later and inner:
            conditions += language.all_of(join.args["on"])
        later = later or join.this.alias_or_name.lower() == name
    return any(_rejects_null(each, name, sources) for each in conditions)


def _rejects_null(part: exp.Expr, name: str, sources: Sources) -> bool:
    """Comparisons, NOT of them and bare flags are unknown where a side is NULL."""
    if isinstance(part, exp.Not) and isinstance(part.this, exp.Is):
        part = part.this.this
    elif isinstance(part, exp.Or):
        return all(_rejects_null(each, name, sources) for each in part.flatten())
    elif isinstance(part, exp.And | exp.Paren):
        return any(_rejects_null(each, name, sources) for each in language.all_of(part))
    elif isinstance(part, exp.Not):
        part = part.this.unnest()
    if isinstance(part, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE):
        return any(_is_of(each, name, sources) for each in (part.this, part.expression))
    if isinstance(part, exp.In | exp.Between | exp.Like | exp.ILike):
        return _is_of(part.this, name, sources)
    return _is_of(part, name, sources)


def _is_of(node: exp.Expr, name: str, sources: Sources) -> bool:
    if not isinstance(node, exp.Column):
        return False
    if node.table:
        return node.table.lower() == name
    known = sources.column(node)
    return known is not None and known.source == name


def _order(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """The order of a subquery that takes all its rows is no part of its result."""
    select = node.parent.parent if node.parent is not None else None
    if not isinstance(select, exp.Select):
        return ""
    if _single_row(select):
        return "one row has no order"
    inner = select.parent is not None and not isinstance(select.parent, exp.Paren)
    if inner and select.args.get("limit") is None:
        return "the order of a subquery without LIMIT is not kept"
    return ""


def _limit(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    select = node.parent
    more = isinstance(new, exp.Limit) and int(new.expression.this) > int(node.expression.this)
    enough = int(node.expression.this) >= 1
    if isinstance(select, exp.Select) and _single_row(select) and more and enough:
        return "an aggregate without GROUP BY gives one row"
    return ""


def _single_row(select: exp.Select) -> bool:
    """Whether a SELECT gives exactly one row: aggregates, no GROUP BY."""
    if select.args.get("group") or not select.expressions:
        return False
    return all(_is_aggregate(each.unalias()) for each in select.expressions)


def _is_aggregate(node: exp.Expr) -> bool:
    return isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window)


def _distinct(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """Rows that show their table's key are distinct where no join repeats them."""
    if not isinstance(node, exp.Select) or sources.repeats_rows(node):
        return ""
    of = sources.of_select(node)
    for output in node.expressions:
        known = sources.column(output.unalias())
        if known is not None and of and known.source == of[0][0] and sources.is_key(known):
            return "rows that show a key are distinct"
    return ""


def _grouping(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """A row's columns take one value in a group whose keys hold the key of the row."""
    if not isinstance(node, exp.Select) or not isinstance(new, exp.Select):
        return ""
    if any(join.side in ("RIGHT", "FULL") for join in node.args.get("joins") or ()):
        return ""
    keys = node.args["group"].expressions
    left = [_written(each) for each in _group_keys(new)]
    lost = next(
        (at for at, key in enumerate(keys) if at >= len(left) or _written(key) != left[at]), None
    )
    if lost is None:
        return ""
    columns = [_grouped_column(node, key, sources) for key in keys]
    gone = columns[lost]
    if gone is None or _stands_elsewhere(node, gone, keys, sources):
        return ""
    kept = {
        (each.source, each.column.name)
        for at, each in enumerate(columns)
        if at != lost and each is not None
    }
    kept |= _equal_keys(node, kept, sources)
    own = {name for source, name in kept if source == gone.source}
    unique = {each.name for each in gone.table.columns if each.unique and not each.nullable}
    key = set(gone.table.primary_key)
    if own & unique or (key and key <= own):
        return "the key of a row settles its other columns"
    return ""


def _group_keys(select: exp.Expr) -> list[exp.Expr]:
    group = select.args.get("group")
    return list(group.expressions) if group is not None else []


def _grouped_column(select: exp.Select, key: exp.Expr, sources: Sources) -> Known | None:
    """The schema's column that a key of GROUP BY is, by itself or by its place."""
    if isinstance(key, exp.Literal) and key.is_int:
        at = int(key.this) - 1
        outputs = select.expressions
        return sources.column(outputs[at].unalias()) if 0 <= at < len(outputs) else None
    return sources.column(key)


def _stands_elsewhere(
    select: exp.Select, gone: Known, keys: list[exp.Expr], sources: Sources
) -> bool:
    """Whether the lost key is used after grouping beside the output that shows it."""
    shown = [id(each.unalias()) for each in select.expressions]
    clauses = [*select.expressions]
    clauses += [
        select.args[name] for name in ("having", "qualify", "order") if select.args.get(name)
    ]
    for clause in clauses:
        for column in clause.find_all(exp.Column):
            known = sources.column(column)
            if id(column) in shown or known is None or column.find_ancestor(exp.AggFunc):
                continue
            if (known.source, known.column.name) == (gone.source, gone.column.name):
                return True
    return False


def _equal_keys(
    select: exp.Select, kept: set[tuple[str, str]], sources: Sources
) -> set[tuple[str, str]]:
    """Columns that an inner join makes equal to the kept ones in every row."""
    found: set[tuple[str, str]] = set()
    for join in select.args.get("joins") or ():
        condition = join.args.get("on")
        if join.side or not isinstance(condition, exp.Expr):
            continue
        for part in language.all_of(condition):
            if not isinstance(part, exp.EQ):
                continue
            sides = [sources.column(part.this), sources.column(part.expression)]
            names = [(each.source, each.column.name) for each in sides if each is not None]
            if len(names) == 2 and set(names) & kept:
                found |= set(names)
    return found


Law = Callable[[exp.Expr, exp.Expr | None, Sources], str]

_LAWS: dict[str, Law] = {
    "filter": _filter,
    "case condition": _filter,
    "count distinct": _count_distinct,
    "join side": _join_side,
    "order": _order,
    "limit": _limit,
    "distinct": _distinct,
    "grouping": _grouping,
}


def _text(node: exp.Expr, sources: Sources) -> str:
    return language.conjuncts(language.to_sql(node, sources.dialect), sources.dialect)[0]
