"""Compiles models as if some vars and macros were others, without touching the project.

dbt compiles in a folder of links to the project's own files, where one more macro file stands:
a macro of the project itself wins over dbt's of the same name.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dbt_t2s.errors import ProjectError
from dbt_t2s.project import artifacts, dbt, profiles
from dbt_t2s.project.artifacts import section, text
from dbt_t2s.project.dbt import DbtProject

_OWN = "t2s_overrides"


@dataclass(frozen=True)
class Overrides:
    """Values that vars and macros have instead of their own, as (name, JSON text)."""

    variables: tuple[tuple[str, str], ...] = ()
    macros: tuple[tuple[str, str], ...] = ()


def compile_models(
    project: DbtProject, models: Sequence[str], overrides: Overrides
) -> Mapping[str, str]:
    """Compiled SQL by the ids of ``models``; ProjectError where dbt cannot compile so."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _link(project, root, overrides)
        given = {**dict(project.overrides), **dict(overrides.variables)}
        changed = replace(
            project, root=root, target_path=root / "target", overrides=tuple(given.items())
        )
        names = [each.split(".", 2)[2] for each in models]
        made = dbt.run(changed, "compile", "--select", *names)
        if not made.success:
            raise ProjectError(
                "dbt could not compile: " + "; ".join(made.messages[:3]),
                where=", ".join(models),
                hint="dbt test --select test_type:unit",
            )
        nodes = section(artifacts.read(root / "target").manifest, "nodes")
    return {each: text(section(nodes, each), "compiled_code") for each in models}


def _link(project: DbtProject, root: Path, overrides: Overrides) -> None:
    """Fills ``root`` with links, settings that name one more macro folder, and that folder."""
    kept_out = {"dbt_project.yml", project.target_path.name, "logs"}
    for each in project.root.iterdir():
        if each.name not in kept_out:
            (root / each.name).symlink_to(each)
    settings = dict(profiles.read_yaml(project.root / "dbt_project.yml"))
    settings["macro-paths"] = [*settings.get("macro-paths", ["macros"]), _OWN]
    # JSON is YAML.
    (root / "dbt_project.yml").write_text(json.dumps(settings, default=str), encoding="utf-8")
    (root / _OWN).mkdir()
    macros = "".join(_macro(name, value) for name, value in overrides.macros)
    (root / _OWN / f"{_OWN}.sql").write_text(macros, encoding="utf-8")


def _macro(name: str, value: str) -> str:
    """A macro that takes anything and gives this value."""
    plain = name.removeprefix("dbt.")
    if not plain.isidentifier():
        raise ProjectError(
            f"the macro {name} of a package cannot be overridden",
            hint="dbt test --select test_type:unit",
        )
    written = "none" if value == "null" else value
    return (
        f"{{% macro {plain}() %}}{{% set taken = (varargs, kwargs) %}}"
        f"{{{{ return({written}) }}}}{{% endmacro %}}\n"
    )
