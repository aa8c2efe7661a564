"""dbt unit tests, read from the manifest: given rows, expected rows and what is overridden."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dbt_t2s.project.artifacts import Artifacts, Node, items, section, text
from dbt_t2s.project.schema import Issue, Level

Value = object
_TEXTS = re.compile(r"""['"]([^'"]*)['"]""")
_VERSION = re.compile(r"""\bv(?:ersion)?\s*=\s*['"]?([\w.]+)""")


@dataclass(frozen=True)
class Fixture:
    """Rows of a unit test.

    ``rows`` are (column, value) pairs each, values as YAML or a CSV file gave them (of the latter
    all are text: ``is_text``); ``sql`` is a SELECT of the project's dialect instead, for fixtures
    written so.
    """

    rows: tuple[tuple[tuple[str, Value], ...], ...] = ()
    sql: str = ""
    is_text: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a row names, in order of appearance."""
        return tuple(dict.fromkeys(name for row in self.rows for name, _ in row))


@dataclass(frozen=True)
class UnitTest:
    """A unit test of ``model``; ``given`` are (node id, rows), ``this`` being the model's own id.

    ``overrides`` are (``vars``, ``macros`` or ``env_vars``; name; value).
    """

    unique_id: str
    name: str
    model: str
    given: tuple[tuple[str, Fixture], ...]
    expect: Fixture
    overrides: tuple[tuple[str, str, Value], ...] = ()


class _Unusable(Exception):
    """Why a unit test cannot be read."""


def read(artifacts: Artifacts) -> tuple[tuple[UnitTest, ...], tuple[Issue, ...]]:
    """The enabled unit tests in order of their ids; an issue for each that cannot be read."""
    found: list[UnitTest] = []
    issues: list[Issue] = []
    for unique_id, test in sorted(section(artifacts.manifest, "unit_tests").items()):
        if not isinstance(test, Mapping) or section(test, "config").get("enabled") is False:
            continue
        try:
            found.append(_read(str(unique_id), test, artifacts))
        except _Unusable as error:
            message = f"this unit test cannot be read: {error}"
            issues.append(Issue(Level.WARNING, str(unique_id), message, "dbt parse"))
    return tuple(found), tuple(issues)


def _read(unique_id: str, test: Node, artifacts: Artifacts) -> UnitTest:
    tested = [str(each) for each in items(section(test, "depends_on"), "nodes")]
    model = artifacts.node(tested[0]) if tested else {}
    if not model:
        raise _Unusable(f"the manifest has no model {text(test, 'model')}")
    given = tuple(
        (_input(text(each, "input"), model, artifacts), _fixture(each))
        for each in items(test, "given")
        if isinstance(each, Mapping)
    )
    return UnitTest(
        unique_id=unique_id,
        name=text(test, "name"),
        model=tested[0],
        given=given,
        expect=_fixture(section(test, "expect")),
        overrides=tuple(_overrides(section(test, "overrides"))),
    )


def _overrides(found: Node) -> Iterator[tuple[str, str, Value]]:
    for kind in ("vars", "macros", "env_vars"):
        for name, value in sorted(section(found, kind).items()):
            yield kind, str(name), value


def _input(written: str, model: Node, artifacts: Artifacts) -> str:
    """The id of the node that ``ref('a')``, ``ref('p', 'a', v=2)``, ``source('s', 't')`` names."""
    if written.strip() == "this":
        return text(model, "unique_id")
    names = tuple(_TEXTS.findall(written.partition("v=")[0].partition("version")[0]))
    version = _VERSION.search(written)
    parents = [str(each) for each in items(section(model, "depends_on"), "nodes")]
    everything = [*section(artifacts.manifest, "nodes"), *section(artifacts.manifest, "sources")]
    for unique_id in (*parents, *everything):
        if _is_called(artifacts.node(str(unique_id)), written, names, version):
            return str(unique_id)
    raise _Unusable(f"no node is {written}")


def _is_called(
    node: Node, written: str, names: tuple[str, ...], version: re.Match[str] | None
) -> bool:
    if not names or text(node, "name") != names[-1]:
        return False
    if written.strip().startswith("source"):
        return text(node, "source_name") == names[0]
    if text(node, "resource_type") not in ("model", "seed", "snapshot"):
        return False
    if len(names) > 1 and text(node, "package_name") != names[0]:
        return False
    own = node.get("version")
    wanted = version.group(1) if version else str(node.get("latest_version"))
    return own is None or str(own) == wanted


def _fixture(found: Node) -> Fixture:
    rows = found.get("rows")
    if text(found, "format") == "sql":
        if not isinstance(rows, str) or not rows.strip():
            raise _Unusable("its SQL rows are missing")
        return Fixture(sql=rows.strip().rstrip(";"))
    if isinstance(rows, str):
        parsed = csv.DictReader(io.StringIO(rows.strip()), skipinitialspace=True)
        rows = [{name: value or None for name, value in row.items()} for row in parsed]
    if rows is None and text(found, "fixture"):
        raise _Unusable(f"the rows of the fixture {text(found, 'fixture')} are not in the manifest")
    listed = rows if isinstance(rows, list | tuple) else ()
    if not all(isinstance(row, Mapping) for row in listed):
        raise _Unusable("a row of it is no mapping of columns to values")
    pairs = tuple(tuple((str(k), v) for k, v in row.items()) for row in listed)
    return Fixture(pairs, is_text=text(found, "format") == "csv")
