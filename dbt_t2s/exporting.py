"""The stage that takes a trained hub model to where another program serves it."""

from __future__ import annotations

from pathlib import Path

from dbt_t2s.answers import open_trained
from dbt_t2s.errors import ModelError
from dbt_t2s.model.record import read_record
from dbt_t2s.workspace import Workspace


def export(workspace: Workspace, form: str, to: Path | None) -> Path:
    """The folder that the model was written to, by default ``export/FORMAT`` beside it."""
    schema, _ = open_trained(workspace)
    if read_record(workspace.model_dir).kind != "hub":
        raise ModelError(
            "the embedded model runs in dbt-t2s alone and is not exported",
            where=str(workspace.model_dir),
            hint="dbt-t2s train --base <a transformers model>, then export",
        )
    from dbt_t2s.model.hub_export import export as write

    folder = to.expanduser().absolute() if to else workspace.folder / "export" / form
    write(workspace.model_dir, schema, folder, form, workspace.console.info)
    return folder
