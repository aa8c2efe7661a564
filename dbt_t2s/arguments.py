"""What is typed on the command line, as the stages take it."""

from __future__ import annotations

from pathlib import Path


def words(values: list[str] | None) -> list[str] | None:
    """dbt takes several selectors after one flag; here they are quoted or the flag repeated."""
    return [word for value in values for word in value.split()] if values else None


def absolute(path: Path | None) -> str | None:
    """A path on the command line is relative to where the user stands, not to the project."""
    return None if path is None else str(path.expanduser().absolute())


def existing(base: str | None) -> str | None:
    """A base that names a folder from where the user stands becomes that folder."""
    if base is None or not Path(base).expanduser().is_dir():
        return base
    return absolute(Path(base))
