"""The verbs of a model's life after its first training."""

from __future__ import annotations

from typing import Annotated

import typer

from dbt_t2s.errors import UsageError
from dbt_t2s.verbs import Run, verb

_USAGE = "dbt-t2s models, models compare A B, or models use VERSION"


@verb
def models(
    run: Run,
    action: Annotated[
        str | None, typer.Argument(help="compare A B, or use VERSION; nothing lists them.")
    ] = None,
    versions: Annotated[
        list[str] | None, typer.Argument(help="Versions: their first digits, current or parent.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List the models there were, compare two, go back to one."""
    from dbt_t2s.learning import comparing, show
    from dbt_t2s.learning import versions as kept

    given = versions or []
    if (action, len(given)) not in ((None, 0), ("list", 0), ("use", 1), ("compare", 2)):
        raise UsageError("say what to do with which versions", where="models", hint=_USAGE)
    workspace = run.workspace()
    kept.keep_current(workspace)
    if action == "use":
        chosen = kept.find(workspace, given[0])
        kept.use(workspace, chosen)
        show.used(run.console, chosen, json=json)
    elif action == "compare":
        pair = [kept.find(workspace, name) for name in given]
        show.comparison(run.console, pair, comparing.compare(workspace, *pair), json=json)
    else:
        show.versions(run.console, kept.listed(workspace), kept.current_id(workspace), json=json)
