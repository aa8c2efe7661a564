"""Where in the project's files something is said: ``models/marts/sales.yml:12``."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from dbt_t2s.project.artifacts import Node, text

_NAME = re.compile(r"\bname:\s*")
_END = re.compile(r"[,}#]|$")


class Places:
    """Finds lines in the files under ``root``; without one, and in packages, files alone."""

    def __init__(self, root: Path | None, project: str) -> None:
        self._root = root
        self._project = project
        self._names = cache(self._read)

    def in_properties(self, node: Node, name: str) -> str:
        """Where the properties of ``node`` name something (a rule); empty where it has no file."""
        package, _, path = text(node, "patch_path").rpartition("://")
        path = path or text(node, "original_file_path")
        own = (package or text(node, "package_name")) == self._project
        named = self._names(path) if own else {}
        start = _first(named.get(text(node, "name"), ()), 0)
        found = start if name == text(node, "name") else _first(named.get(name, ()), start or 0)
        return _place(path, found)

    def in_sql(self, node: Node, words: Sequence[str]) -> str:
        """The first line of the node's own SQL with all of ``words``; its file where none has."""
        wanted = [re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE) for word in words]
        path = text(node, "original_file_path")
        for number, line in enumerate(text(node, "raw_code").splitlines(), 1):
            if wanted and all(each.search(line) for each in wanted):
                return _place(path, number)
        return path

    def _read(self, path: str) -> Mapping[str, Sequence[int]]:
        """The numbers of the file's lines that have ``name: <name>``, by that name.

        None where it cannot be read: the artifacts may have travelled.
        """
        if self._root is None or not path:
            return {}
        try:
            lines = (self._root / path).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return {}
        found: dict[str, list[int]] = {}
        for number, line in enumerate(lines, 1):
            for name in _names(line):
                found.setdefault(name, []).append(number)
        return found


def _names(line: str) -> Iterator[str]:
    """What ``name: orders`` in a line of YAML may name; names may hold commas, quoted or not."""
    for start in _NAME.finditer(line):
        rest = line[start.end() :]
        found = (rest[: end.start()].strip().strip("'\"") for end in _END.finditer(rest))
        yield from dict.fromkeys(found)


def _first(numbers: Sequence[int], after: int) -> int | None:
    """The first of the ascending line numbers that is greater than ``after``."""
    at = bisect_right(numbers, after)
    return numbers[at] if at < len(numbers) else None


def _place(path: str, line: int | None) -> str:
    return f"{path}:{line}" if path and line else path
