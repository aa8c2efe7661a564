"""One SELECT as its parts, and how they are written; windows over its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dbt_t2s.errors import QueryPlanError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.joins import JoinGraph
from dbt_t2s.query.measures import Atom, Lowered, operand
from dbt_t2s.query.plan import GRAINS, Bucket, Dim, Expr
from dbt_t2s.query.scope import Scope, quote, tables_in

# Conditions that may hold for rows without a partner; all others lose such rows anyway.
_MAY_HOLD_ALONE = re.compile(r"\b(?:or|is null|case|coalesce)\b|\bnot\s*\(", re.IGNORECASE)


@dataclass(frozen=True)
class Output:
    sql: str
    alias: str
    expression: Expr


@dataclass(frozen=True)
class Block:
    """One SELECT over a root, its fragments still marked."""

    root: str
    outputs: tuple[Output, ...]
    where: tuple[str, ...] = ()
    group: bool = False
    having: tuple[str, ...] = ()
    order: str = ""
    limit: str = ""
    qualify: str = ""
    distinct: bool = False
    keys: tuple[str, ...] = ()  # grouped by besides what is shown


def render(block: Block, schema: ProjectSchema, graph: JoinGraph) -> str:
    """The block as SQL: joins from the tables it reads, GROUP BY from its dimensions."""
    fragments = [o.sql for o in block.outputs]
    fragments += [*block.where, *block.having, block.order, block.qualify]
    read = frozenset(t for f in fragments for t in tables_in(f)) - {block.root}
    shown = [o.sql for o in block.outputs if isinstance(o.expression, Dim)]
    strict = [f for f in block.where if not _MAY_HOLD_ALONE.search(f)]
    needed = frozenset(t for f in (*shown, *strict) for t in tables_in(f)) & read
    scope = Scope(schema, graph, block.root, sorted(needed), sorted(read - needed))
    distinct = "distinct " if block.distinct else ""
    lines = [f"select {distinct}" + ",\n".join(aliased(o) for o in block.outputs)]
    lines.append(scope.from_clause())
    if block.where:
        lines.append("where " + "\nand ".join(block.where))
    grouped = [
        str(i) for i, output in enumerate(block.outputs, 1) if isinstance(output.expression, Dim)
    ]
    if block.group and grouped:
        lines.append("group by " + ", ".join((*grouped, *block.keys)))
    if block.having:
        lines.append("having " + " and ".join(block.having))
    if block.qualify:
        lines.append(f"qualify {block.qualify}")
    if block.order:
        lines.append(f"order by {block.order}")
    if block.limit:
        lines.append(f"limit {block.limit}")
    return scope.settle("\n".join(lines))


def aliased(output: Output) -> str:
    """The output with AS, which a bare column of that name needs not."""
    if output.sql.endswith(f".{quote(output.alias)}"):
        return output.sql
    return f"{output.sql} as {quote(output.alias)}"


def ordered(by: Output, outputs: Sequence[Output], descending: bool) -> str:
    """ORDER BY an output where it is selected, by its SQL where not."""
    way = "desc" if descending else "asc"
    for output in outputs:
        if output.expression == by.expression:
            return f"{quote(output.alias)} {way}"
    return f"{by.sql} {way}"


def windowed(function: str, inner: Lowered) -> Lowered:
    """Windows run over the grouped rows; ``<along>`` stands for the time they run along."""
    value = inner.template
    if function == "SHARE":
        template = f"{operand(value)} * 1.0 / nullif(sum({value}) over (), 0)"
        return Lowered(template, inner.atoms, f"share_of_{inner.name}")
    if function == "RUNNING":
        return Lowered(f"sum({value}) over (<along>)", inner.atoms, f"running_{inner.name}")
    return _changed(inner, f"lag({value}) over (<along>)")


def _changed(inner: Lowered, before: str) -> Lowered:
    """The change against ``before``, as a share of it."""
    template = f"({inner.template} - {before}) * 1.0 / nullif({before}, 0)"
    return Lowered(template, inner.atoms, f"{inner.name}_change")


def rolled(function: str, periods: str, inner: Lowered) -> Lowered:
    """The average or sum of the last ``periods`` grouped rows along ``<along>``, or the change
    against the row so many before."""
    if function == "lag":
        return _changed(inner, f"lag({inner.template}, {int(periods)}) over (<along>)")
    frame = f"rows between {int(periods) - 1} preceding and current row"
    template = f"{function}({inner.template}) over (<along> {frame})"
    return Lowered(template, inner.atoms, f"rolling_{inner.name}")


def windows_over(outputs: tuple[Output, ...]) -> tuple[Output, ...]:
    """Settle what windows run along: the first period selected, anew for each other dimension."""
    if not any("<along>" in o.sql for o in outputs):
        return outputs
    times = [
        o for o in outputs if isinstance(o.expression, Bucket) and o.expression.grain in GRAINS
    ]
    if not times:
        raise QueryPlanError("a running total or change needs a time to run along")
    others = [o.sql for o in outputs if isinstance(o.expression, Dim) and o != times[0]]
    anew = f"partition by {', '.join(others)} " if others else ""
    along = f"{anew}order by {times[0].sql}"
    return tuple(replace(o, sql=o.sql.replace("<along>", along)) for o in outputs)


def piece(atom: Atom, atoms: tuple[Atom, ...]) -> str:
    return f"total_{atoms.index(atom)}"


def side_by_side(ctes: Sequence[str], names: tuple[str, ...]) -> str:
    """Totals beside each other, groups without a name (NULL) included."""
    lines = [f"from {quote(ctes[0])}"]
    for at, cte in enumerate(ctes[1:], 1):
        if not names:
            lines.append(f"cross join {quote(cte)}")
            continue
        same = (
            f"{either(ctes[:at], name)} is not distinct from {quote(cte)}.{name}" for name in names
        )
        lines.append(f"full join {quote(cte)} on {' and '.join(same)}")
    return "\n".join(lines)


def either(ctes: Sequence[str], name: str) -> str:
    """A group's name from whichever of the totals has it."""
    parts = [f"{quote(cte)}.{name}" for cte in ctes]
    return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"
