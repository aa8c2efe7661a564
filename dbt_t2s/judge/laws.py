"""Why a near miss is none: proofs from keys, not-null columns and the shape of the query.

Nothing here looks at data or runs anything. What no law covers counts as a real mistake.
"""

from __future__ import annotations

from collections.abc import Callable

from dbt_t2s import sql as language
from dbt_t2s.judge.sources import PROOFS, Known, Sources
from dbt_t2s.judge.truth import same_logic, same_truth
from dbt_t2s.project.schema import Cardinality, Kind
from dbt_t2s.sql import exp

_CLAUSES = (exp.Where, exp.If, exp.Having)


def law_of(kind: str, node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """The law by which a change of ``node`` changes no result; empty where none is known."""
    law = _LAWS.get(kind)
    found = law(node, new, sources) if law is not None else ""
    return found or _same_values(node, new) or _same_logic(node, new)


def _changed_condition(
    node: exp.Expr, new: exp.Expr | None
) -> tuple[list[exp.Expr], list[exp.Expr]] | None:
    """The conjuncts of the clause that a change is made in, before and after it."""
    if isinstance(node, _CLAUSES):
        changed_clause = new.this if isinstance(new, _CLAUSES) else None
        return language.all_of(node.this), language.all_of(changed_clause) if changed_clause else []
    place = node
    while place.parent is not None and not isinstance(place.parent, _CLAUSES):
        place = place.parent
    if new is None or not isinstance(place.parent, _CLAUSES):
        return None
    if place is node:
        return language.all_of(node), language.all_of(new)
    after = place.copy()
    changed = next(
        copied
        for original, copied in zip(language.walk(place), list(language.walk(after)), strict=True)
        if original is node
    )
    changed.replace(new.copy())
    return language.all_of(place), language.all_of(after)


def _same_logic(node: exp.Expr, new: exp.Expr | None) -> str:
    """AND, OR and NOT of the same comparisons, as ``(a OR b) AND a``, which is ``a``."""
    sides = _changed_condition(node, new)
    if sides is not None and same_logic(*sides):
        return "the condition follows from the same comparisons"
    return ""


def _same_values(node: exp.Expr, new: exp.Expr | None) -> str:
    """The condition that a changed comparison stands in holds of the same values as before.

    As where a span ends later, and the next one, joined by OR, begins where it ended.
    """
    sides = None if isinstance(node, _CLAUSES) else _changed_condition(node, new)
    if sides is None:
        return ""
    parts, others = sides
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
    kept = [] if new is None else language.all_of(new.this)
    if all(_is_needed(each, node, kept, sources) for each in lost):
        return "IS NOT NULL holds of a column that another condition compares"
    return ""


def _is_needed(part: exp.Expr, clause: exp.Expr, kept: list[exp.Expr], sources: Sources) -> bool:
    """Whether ``x IS NOT NULL`` follows from a conjunct that is kept, or from an inner join."""
    if not (isinstance(part, exp.Not) and isinstance(part.this, exp.Is)):
        return False
    known = sources.column(part.this.this)
    select = clause.find_ancestor(exp.Select)
    if known is None or select is None or not isinstance(part.this.expression, exp.Null):
        return False
    joins = select.args.get("joins") or ()
    if isinstance(clause, exp.Where) and not any(each.side in ("RIGHT", "FULL") for each in joins):
        for join in joins:
            if not join.side and isinstance(join.args.get("on"), exp.Expr):
                kept = [*kept, *language.all_of(join.args["on"])]

    def same(node: exp.Expr) -> bool:
        other = sources.column(node)
        return other is not None and (other.source, other.column) == (known.source, known.column)

    return any(_rejects_null(each, same) for each in kept)


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
    if of and sources.keeps_rows(select, known.source):
        return "a key is distinct where no join repeats its rows"
    return ""


def _guarded_column(node: exp.Expr) -> exp.Expr:
    """The column in ``case when … then column end``, whose other results are NULL."""
    if not isinstance(node, exp.Case):
        return node
    results = [each.args["true"] for each in node.args["ifs"]]
    if node.args.get("default") is not None:
        results.append(node.args["default"])
    shown = [each for each in results if not isinstance(each, exp.Null)]
    return _guarded_column(shown[0]) if len(shown) == 1 else node


def _join_side(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """INNER and LEFT agree where every row has its partner, or where WHERE wants one."""
    select = node.find_ancestor(exp.Select)
    if select is None or not isinstance(node, exp.Join):
        return ""
    name = node.this.alias_or_name.lower()
    if _wants_row(select, name, sources):
        return "WHERE rejects the rows that LEFT adds"
    if _wants_pairs(select, node, sources):
        return "HAVING rejects the groups of one row that LEFT adds"
    if _sums_only(select, name, sources):
        return "aggregates leave out the NULLs that LEFT adds"
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
            and any(each.startswith(PROOFS) for each in edge.evidence)
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
    return any(_rejects_null(each, lambda node: _is_of(node, name, sources)) for each in conditions)


def _wants_pairs(select: exp.Select, join: exp.Expr, sources: Sources) -> bool:
    """Whether HAVING wants two rows at least of groups by the first table's key.

    A row of it that LEFT keeps without a partner is alone in its group.
    """
    of = sources.of_select(select)
    if len(select.args.get("joins") or ()) != 1 or len(of) != 2:
        return False
    keys = [_grouped_column(select, key, sources) for key in _group_keys(select)]
    if not any(
        each and each.source == of[0][0] and sources.is_key(each) and each.never_null
        for each in keys
    ):
        return False
    having = select.args.get("having")
    for part in language.all_of(having.this) if having is not None else []:
        if isinstance(part, exp.GT | exp.GTE) and isinstance(part.this, exp.Count):
            said = part.expression
            least = 2 if isinstance(part, exp.GTE) else 1
            if isinstance(said, exp.Literal) and said.is_int and int(said.this) >= least:
                return True
    return False


def _sums_only(select: exp.Select, name: str, sources: Sources) -> bool:
    """Whether a SELECT of one row has nothing but aggregates of single columns of ``name``."""
    last = (select.args.get("joins") or [None])[-1]
    if last is None or last.this.alias_or_name.lower() != name or select.args.get("having"):
        return False
    outputs = [each.unalias() for each in select.expressions]
    if not _single_row(select) or not outputs:
        return False
    for each in outputs:
        if not isinstance(each, exp.Sum | exp.Avg | exp.Min | exp.Max | exp.Count):
            return False
        inner = each.this
        if isinstance(inner, exp.Distinct):
            inner = inner.expressions[0] if len(inner.expressions) == 1 else inner
        if not _is_of(inner, name, sources):
            return False
    return True


def _rejects_null(part: exp.Expr, is_it: Callable[[exp.Expr], bool]) -> bool:
    """Comparisons, NOT of them and bare flags are unknown where a side is NULL."""
    if isinstance(part, exp.Not) and isinstance(part.this, exp.Is):
        part = part.this.this
    elif isinstance(part, exp.Or):
        return all(_rejects_null(each, is_it) for each in part.flatten())
    elif isinstance(part, exp.And | exp.Paren):
        return any(_rejects_null(each, is_it) for each in language.all_of(part))
    elif isinstance(part, exp.Not):
        part = part.this.unnest()
        if isinstance(part, exp.In) and part.args.get("query") is not None:
            return False  # NOT IN what finds nothing is true of NULL
    if isinstance(part, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE):
        return any(is_it(each) for each in (part.this, part.expression))
    if isinstance(part, exp.In | exp.Between | exp.Like | exp.ILike):
        return is_it(part.this)
    return is_it(part)


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
    if _single_row(select) or _most_groups(select, sources) == 1:
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
    if isinstance(select, exp.Select) and isinstance(new, exp.Limit):
        least = min(int(node.expression.this), int(new.expression.this))
        most = _most_groups(select, sources)
        if most is not None and most <= least:
            return "the tests allow no more groups than LIMIT takes"
    return ""


def _most_groups(select: exp.Select, sources: Sources) -> int | None:
    """The largest number of groups of columns whose values a test lists, NULL among them.

    A column that the query compares with one value has that value alone.
    """
    most = 1
    keys = _group_keys(select)
    pinned = _pinned(select, sources)
    for key in keys:
        known = _grouped_column(select, key, sources)
        if known is None:
            return None
        if (known.source, known.column.name) in pinned:
            continue
        boolean = known.column.kind is Kind.BOOLEAN
        values = 2 if boolean else len(sources.listed(known.table, known.column.name))
        if not values:
            return None
        most *= values + (not known.never_null)
    return most if keys else None


def _pinned(select: exp.Select, sources: Sources) -> set[tuple[str, str]]:
    """The columns (source, name) that a conjunct of WHERE holds at one literal."""
    where = select.args.get("where")
    found = set()
    for part in language.all_of(where.this) if where is not None else ():
        if not isinstance(part, exp.EQ):
            continue
        for side, other in ((part.this, part.expression), (part.expression, part.this)):
            known = sources.column(side)
            if known is not None and isinstance(other, exp.Literal):
                found.add((known.source, known.column.name))
    return found


def _single_row(select: exp.Select) -> bool:
    """Whether a SELECT gives exactly one row: aggregates, no GROUP BY."""
    if select.args.get("group") or not select.expressions:
        return False
    return all(_is_aggregate(each.unalias()) for each in select.expressions)


def _is_aggregate(node: exp.Expr) -> bool:
    return isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window)


def _distinct(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """Rows that show their table's key are distinct where no join repeats them."""
    if not isinstance(node, exp.Select):
        return ""
    for output in node.expressions:
        known = sources.column(output.unalias())
        if known is None or not sources.is_key(known) or not known.never_null:
            continue
        if sources.keeps_rows(node, known.source):
            return "rows that show a key are distinct"
    return ""


def _grouping(node: exp.Expr, new: exp.Expr | None, sources: Sources) -> str:
    """A row's columns take one value in a group whose keys hold the key of the row."""
    if not isinstance(node, exp.Select) or not isinstance(new, exp.Select):
        return ""
    if any(join.side in ("RIGHT", "FULL") for join in node.args.get("joins") or ()):
        return ""
    if node.find(exp.RowNumber):
        return ""  # which of equal rows it takes is not said
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
