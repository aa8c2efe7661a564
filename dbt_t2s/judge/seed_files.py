"""A project's seeds as tables of a DuckDB file: the CSV files are read as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.duck import Connection, QueryError
from dbt_t2s.project.artifacts import Node, section, text


def load(
    connection: Connection, target: str, node: Node, root: Path, types: Mapping[str, str]
) -> str:
    """Makes the table ``target`` (quoted) of a seed's file; why that failed, empty if it did not.

    ``types`` are DuckDB's by lower-case column where they are known; the file says the others. The
    connection must be one that may read files.
    """
    path = file_of(node, root)
    if path is None:
        return f"its file {text(node, 'original_file_path')} is not there"
    delimiter = (text(section(node, "config"), "delimiter") or ",").replace("'", "''")
    name = str(path).replace("'", "''")
    read = f"read_csv('{name}', header = true, delim = '{delimiter}', sample_size = -1)"
    found = duck.run(connection, f"select * from {read} limit 0")
    if isinstance(found, QueryError):
        return duck.first_line(found.message)
    columns = ", ".join(
        _column(each, types.get(each.strip().lower(), "")) for each in found.columns
    )
    made = duck.run(connection, f"create or replace table {target} as select {columns} from {read}")
    return duck.first_line(made.message) if isinstance(made, QueryError) else ""


def file_of(node: Node, root: Path) -> Path | None:
    """The seed's CSV file, in the project or in the package that it is of."""
    written = text(node, "original_file_path")
    package = root / "dbt_packages" / text(node, "package_name")
    own = text(node, "root_path")
    folders = [Path(own), root, package] if own else [root, package]
    for folder in folders if written else []:
        if (folder / written).is_file():
            return folder / written
    return None


def _column(name: str, type_: str) -> str:
    own, wanted = duck.quoted(name), duck.quoted(name.strip())
    return f"try_cast({own} as {type_}) as {wanted}" if type_ else f"{own} as {wanted}"
