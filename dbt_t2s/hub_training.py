"""What training a hub model needs of the project: the settings' choices, a judge that executes,
and the other processes where several were launched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from dbt_t2s.agreement import agreed
from dbt_t2s.console import Console
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered, sort_keys
from dbt_t2s.lessons import executes
from dbt_t2s.model.train import HubOptions
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.workspace import EMBEDDED, Workspace, base_of


def check_base(workspace: Workspace) -> None:
    """ModelError where the base cannot be trained here: not after minutes of making a corpus."""
    if workspace.settings.base == EMBEDDED:
        return
    from dbt_t2s.model.train import check_base as check

    check(base_of(workspace), workspace.settings.method)


@contextmanager
def options(workspace: Workspace, schema: ProjectSchema) -> Iterator[HubOptions]:
    """How a hub model is trained; answers to dev questions are executed while this is open."""
    settings = workspace.settings
    if settings.base == EMBEDDED:
        yield HubOptions()
        return
    with ExitStack() as stack:
        everywhere = executes(workspace, schema, stack)

        def right(gold: str, answer: str) -> bool:
            return is_right(gold, answer, everywhere, schema.dialect)

        yield HubOptions(
            settings.method,
            settings.schema_context,
            settings.answers,
            right,
            workspace.console.info,
            partial(agreed, execute=everywhere[0]),
        )


def is_right(gold: str, answer: str, everywhere: list[Execute], dialect: str) -> bool:
    """Whether an answer gives the gold's rows on every instance, or both refuse."""
    if not gold.strip() or not answer.strip():
        return gold.strip() == answer.strip()
    ordered, keys = is_ordered(gold, dialect), sort_keys(gold, dialect)
    for execute in everywhere:
        wanted, got = execute(gold), execute(answer)
        if isinstance(wanted, QueryError) or isinstance(got, QueryError):
            return False
        if not compare(wanted, got, ordered, keys).equal:
            return False
    return True


def is_helper() -> bool:
    """Whether this process was launched to train beside another that does all else."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and os.environ.get("RANK", "0") != "0"


def help_train(console: Console) -> None:
    """Waits until the first process knows what there is to train, and trains it with it."""
    from dbt_t2s.model.train import help_train as help_one

    if help_one():
        console.info("trained beside the first process")


@contextmanager
def leading() -> Iterator[None]:
    """Whatever becomes of a command, the processes launched beside it do not wait for ever."""
    try:
        yield
    finally:
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            from dbt_t2s.model.train import dismiss

            dismiss()
