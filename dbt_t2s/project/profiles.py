"""dbt_project.yml and profiles.yml: read, with ``env_var()`` and ``var()`` resolved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbt_t2s.errors import ProjectError
from dbt_t2s.project import templates


def find_folder(profiles_dir: Path | None, root: Path) -> Path:
    given = profiles_dir or os.environ.get("DBT_PROFILES_DIR")
    if given:
        folder = Path(given).expanduser().resolve()
    else:
        folder = root if (root / "profiles.yml").is_file() else Path.home() / ".dbt"
    if not (folder / "profiles.yml").is_file():
        raise ProjectError(
            "there is no profiles.yml", where=str(folder), hint="pass --profiles-dir or `dbt init`"
        )
    return folder


def read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProjectError(f"cannot be read: {error}", where=str(path)) from error
    if not isinstance(found, dict):
        raise ProjectError("it holds no settings", where=str(path), hint="dbt debug")
    return found


def rendered(value: object, overrides: Mapping[str, Any], where: str) -> str:
    """A setting as text, with ``env_var()`` and ``var()`` in it resolved."""

    def env_var(name: str, default: str | None = None) -> str:
        found = os.environ.get(name, default)
        if found is None:
            raise ProjectError(
                f"the environment variable {name} is required but not set",
                where=where,
                hint=f"export {name}=…",
            )
        return str(found)

    def var(name: str, default: object = "") -> object:
        return overrides.get(name, default)

    if value is None:
        return ""
    try:
        return templates.render(str(value), {"env_var": env_var, "var": var})
    except templates.TemplateError as error:
        raise ProjectError(f"cannot render {value!r}: {error}", where=where) from error


def read_output(
    folder: Path, profile: str, target: str | None, overrides: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The target's name and its connection settings, rendered."""
    path = folder / "profiles.yml"
    profiles = read_yaml(path)
    found = profiles.get(profile)
    if not isinstance(found, dict):
        known = ", ".join(sorted(str(each) for each in profiles if each != "config")) or "none"
        raise ProjectError(
            f"there is no profile {profile!r} (there is: {known})",
            where=str(path),
            hint="pass --profile or mend `profile:` in dbt_project.yml",
        )
    outputs = found.get("outputs")
    outputs = outputs if isinstance(outputs, dict) else {}
    name = (
        target
        or os.environ.get("DBT_TARGET")
        or rendered(found.get("target"), overrides, str(path))
        or "default"
    )
    output = outputs.get(name)
    if not isinstance(output, dict):
        known = ", ".join(sorted(str(each) for each in outputs)) or "none"
        raise ProjectError(
            f"profile {profile!r} has no target {name!r} (it has: {known})",
            where=str(path),
            hint="pass --target",
        )
    wanted = {key: output[key] for key in ("type", "path") if key in output}
    return name, {k: rendered(v, overrides, str(path)) for k, v in wanted.items()}
