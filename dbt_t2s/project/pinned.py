"""What the project's unit tests pin: behaviours that must stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.schema import Issue, Level, Rule, RuleKind, Table


def find(
    artifacts: Artifacts, tables: Sequence[Table]
) -> tuple[tuple[Rule, ...], tuple[Issue, ...]]:
    """A rule for each enabled unit test, on the table its model is or goes into.

    An issue for each whose model no table is made from.
    """
    rules: list[Rule] = []
    issues: list[Issue] = []
    names = {table.unique_id: table.name for table in tables}
    children = _children(artifacts)
    for unique_id, test in sorted(section(artifacts.manifest, "unit_tests").items()):
        if not isinstance(test, Mapping) or section(test, "config").get("enabled") is False:
            continue
        tested = [str(each) for each in items(section(test, "depends_on"), "nodes")]
        table = next((names[n] for n in _downstream(tested[:1], children) if n in names), "")
        if table:
            rules.append(_rule(str(unique_id), test, table))
        else:
            message = f"no table comes from {text(test, 'model') or 'its model'}"
            issues.append(Issue(Level.INFO, str(unique_id), f"no rule made of it: {message}"))
    return tuple(rules), tuple(issues)


def _rule(unique_id: str, test: Node, table: str) -> Rule:
    return Rule(
        name=meta.clean(text(test, "name")),
        sentence=meta.description(test) or _sentence(test),
        table=table,
        predicate="",
        evidence=(unique_id,),
        support=1,
        kind=RuleKind.PINNED,
    )


def _sentence(test: Node) -> str:
    """What goes in and what comes out, where nobody described it."""
    given = [_input(each) for each in items(test, "given") if isinstance(each, Mapping)]
    expected = section(test, "expect").get("rows")
    rows = (
        [row for row in expected if isinstance(row, Mapping)] if isinstance(expected, list) else []
    )
    first = ", ".join(f"{column} {value}" for column, value in rows[0].items()) if rows else ""
    out = f"{len(rows)} rows, the first with {first}" if first else "the rows written there"
    out = "no rows" if expected == [] else out.replace("1 rows, the first", "one row")
    start = f"From given rows of {', '.join(given)}, " if given else ""
    made = f"{text(test, 'model')} gives {out}."
    return meta.clean(start + made)


def _input(given: Node) -> str:
    """``ref('stg_orders')`` as stg_orders."""
    return (
        text(given, "input").split("'")[-2] if "'" in text(given, "input") else text(given, "input")
    )


def _children(artifacts: Artifacts) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in artifacts.nodes("model", "snapshot"):
        for parent in items(section(node, "depends_on"), "nodes"):
            found.setdefault(str(parent), []).append(text(node, "unique_id"))
    return found


def _downstream(start: Sequence[str], children: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The nodes made from ``start``, itself first, the nearest next."""
    seen = dict.fromkeys(start)
    pending = list(start)
    for node in pending:
        yield node
        for child in children.get(node, ()):
            if child not in seen:
                seen[child] = None
                pending.append(child)
