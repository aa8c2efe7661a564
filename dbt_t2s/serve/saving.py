"""An answer's SQL as an analysis of the dbt project: with refs, so that lineage knows it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dbt_t2s import sql as language
from dbt_t2s.errors import ServeError
from dbt_t2s.project.schema import ProjectSchema, Table
from dbt_t2s.serve.evidence import read
from dbt_t2s.sql import exp

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}\Z")
_TEMPLATE = re.compile(r"\{[{%#]")


def check_name(name: str) -> str:
    """The name of an analysis; ServeError where it is none."""
    if not _NAME.match(name):
        raise ServeError(
            f"{name!r} is no name for an analysis",
            where="/save NAME",
            hint="letters, digits and underscores, e.g. /save revenue_by_month",
        )
    return name


def analysis(question: str, sql: str, schema: ProjectSchema) -> str:
    """The text of the file; ServeError where the SQL cannot stand in one."""
    statement = read(sql, schema)
    if statement is None or _TEMPLATE.search(sql):
        raise ServeError(
            "this SQL cannot be saved: dbt would read a template in it",
            where=f"the question {question[:80]!r}",
            hint="copy it by hand (/sql)",
        )
    tree = statement.tree.copy()
    refs: list[str] = []
    for node in list(tree.find_all(exp.Table)):
        table = statement.aliases.get((node.alias or node.name).lower())
        if table is not None:
            placed = exp.to_table(f"t2s_ref_{len(refs)}_")
            placed.set("alias", exp.TableAlias(this=exp.to_identifier(node.alias or node.name)))
            refs.append(_ref(table, schema))
            node.replace(placed)
    text = language.to_sql(tree, schema.dialect, pretty=True, used_up=True)
    asked = question.replace("#}", "# }")
    return f"{{# {asked} #}}\n{_with(text, refs)}\n"


def _with(text: str, refs: Sequence[str]) -> str:
    for number, ref in enumerate(refs):
        text = re.sub(rf'"?\bt2s_ref_{number}_\b"?', ref.replace("\\", r"\\"), text)
    return text


def _ref(table: Table, schema: ProjectSchema) -> str:
    """How a model names another: a version and another package are said."""
    kind, package, *rest = table.unique_id.split(".")
    if kind == "source":
        return "{{ source(" + ", ".join(f"'{each}'" for each in rest) + ") }}"
    version = ""
    if len(rest) > 1 and re.fullmatch(r"v\d+", rest[-1]):
        version = f", v={rest[-1][1:]}"
    elif len(rest) > 1:
        version = f", v='{rest[-1][1:]}'"
    own = f"'{rest[0]}'" if package == schema.project else f"'{package}', '{rest[0]}'"
    return "{{ ref(" + own + version + ") }}"
