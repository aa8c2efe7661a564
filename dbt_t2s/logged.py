"""Questions that the project's ``t2s_log`` table holds, with the SQL that answered them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.duck import QueryError
from dbt_t2s.errors import ProjectError
from dbt_t2s.project import artifacts
from dbt_t2s.project.artifacts import section
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.operations import PACKAGE, Operations

TABLE, MACRO = "t2s_log", "t2s_questions"
MOST = 1000

Logged = tuple[tuple[str, str], ...]


def logged_questions(project: DbtProject, copy: Path | None) -> tuple[Logged, str]:
    """(question, SQL) of the last ``MOST`` answers of the project's target, the last of each
    question first, and why they are not known, where they are not.

    ``copy`` is one of the project's DuckDB file; other warehouses are asked by a macro. No table,
    or no macros, is no question.
    """
    if copy is not None:
        return _of_file(copy, project.target)
    macros = section(artifacts.read(project.target_path).manifest, "macros")
    if f"macro.{PACKAGE}.{MACRO}" not in macros:
        return (), ""
    try:
        with Operations(project) as operations:
            found = operations.call(MACRO, limit=MOST)
    except ProjectError as error:
        return (), error.what
    if isinstance(found, QueryError):
        return (), duck.first_line(found.message)
    return tuple((each["question"], each["sql"]) for each in found[0]["questions"]), ""


def _of_file(copy: Path, target: str) -> tuple[Logged, str]:
    places = [place[:3] for place in duck.relations_of(copy) if place[2].lower() == TABLE]
    questions: dict[str, str] = {}
    with closing(duck.open_read_only(copy)) as connection:
        for place in places:
            found = duck.run(
                connection,
                "select question, sql_text from " + duck.quoted(*place) + " where status = 'ok'"
                " and sql_text is not null and target_name = ? order by logged_at desc",
                MOST,
                (target,),
            )
            if isinstance(found, QueryError):
                return (), duck.first_line(found.message)
            for question, sql in found.rows:
                questions.setdefault(str(question), str(sql))
    return tuple(questions.items()), ""
