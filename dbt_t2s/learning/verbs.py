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


@verb
def improve(
    run: Run,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="The time budget for training (1).")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be learned, and train nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> None:
    """Learn from what people said of answers; keep the new model only if it loses nothing."""
    from dbt_t2s.learning import improving, show

    found = improving.improve(run.workspace(), minutes or improving.MINUTES, dry_run=dry_run)
    show.improvement(run.console, found, json=json, dry_run=dry_run)
    improving.fail(found)
