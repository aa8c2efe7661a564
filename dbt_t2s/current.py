"""The rows that answers come from: the project's own as they are now, not as they were learned."""

from __future__ import annotations

from pathlib import Path

from dbt_t2s.duck import copy_warehouse
from dbt_t2s.errors import WarehouseError
from dbt_t2s.instances import Instances
from dbt_t2s.workspace import Workspace

FOLDER = "current"


def current_data(workspace: Workspace, instances: Instances) -> Path | None:
    """A copy of the project's DuckDB file that is as new as the file; None where it has none.

    The copy that the model was trained with serves until `dbt build` writes the file again. While
    that goes on the copy from before answers, and that is told.
    """
    database = workspace.project.database
    if database is None or not instances.own:
        return None
    trained = workspace.warehouse_dir / instances.own
    folder = workspace.warehouse_dir / FOLDER
    newest = max((trained, folder / database.name), key=_written)
    if _written(newest) >= _written(database):
        return newest
    try:
        return copy_warehouse(database, folder)
    except WarehouseError as failure:
        workspace.console.warn(
            f"answers are of older data: {failure.what}", failure.where, failure.hint
        )
        return newest


def _written(path: Path) -> float:
    """When the file, or what waits beside it to be folded in, was last written; 0 for no file."""
    log = path.with_name(path.name + ".wal")
    return max((each.stat().st_mtime for each in (path, log) if each.exists()), default=0.0)
