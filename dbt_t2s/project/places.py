"""Where in the project's files something is said: ``models/marts/sales.yml:12``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dbt_t2s.project.artifacts import Node, text


class Places:
    """Finds lines in the files under ``root``; without one, and in packages, files alone."""

    def __init__(self, root: Path | None, project: str) -> None:
        self._root = root
        self._project = project
        self._lines = cache(self._read)

    def in_properties(self, node: Node, name: str) -> str:
        """Where the properties of ``node`` name something (a rule); empty where it has no file."""
        package, _, path = text(node, "patch_path").rpartition("://")
        path = path or text(node, "original_file_path")
        own = (package or text(node, "package_name")) == self._project
        lines = self._lines(path) if own else ()
        start = _line_naming(lines, text(node, "name"), 0)
        found = start if name == text(node, "name") else _line_naming(lines, name, start or 0)
        return _place(path, found)

    def in_sql(self, node: Node, words: Sequence[str]) -> str:
        """The first line of the node's own SQL with all of ``words``; its file where none has."""
        wanted = [re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE) for word in words]
        path = text(node, "original_file_path")
        for number, line in enumerate(text(node, "raw_code").splitlines(), 1):
            if wanted and all(each.search(line) for each in wanted):
                return _place(path, number)
        return path

    def _read(self, path: str) -> tuple[str, ...]:
        """The file's lines; none where it cannot be read (the artifacts may have travelled)."""
        if self._root is None or not path:
            return ()
        try:
            return tuple((self._root / path).read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError):
            return ()


def _line_naming(lines: Sequence[str], name: str, start: int) -> int | None:
    """The number of the first line from ``start`` on that has ``name: <name>``."""
    wanted = re.compile(rf"""\bname:\s*['"]?{re.escape(name)}['"]?\s*(?:$|[,}}#])""")
    for number, line in enumerate(lines[start:], start + 1):
        if wanted.search(line):
            return number
    return None


def _place(path: str, line: int | None) -> str:
    return f"{path}:{line}" if path and line else path
