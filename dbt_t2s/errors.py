"""One root error, one leaf per room: what went wrong, where, and the next command to run."""

from __future__ import annotations


class T2SError(Exception):
    """A failure that a person can act on; shown as one message, never as a traceback.

    ``where`` names the dbt node, the file or the setting; ``hint`` the next command or step.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"  where: {self.where}")
        if self.hint:
            parts.append(f"  next:  {self.hint}")
        return "\n".join(parts)


class UsageError(T2SError):
    """The command line or the settings ask for something that does not exist."""

    exit_code = 2


class StoreError(T2SError):
    """An artefact could not be read or written."""


class WarehouseError(T2SError):
    """The DuckDB file is missing, locked, empty or broken."""


class EmptyWarehouseError(WarehouseError):
    """There is no DuckDB file, or no table in it: what needs no data can go on without."""


class LockedWarehouseError(WarehouseError):
    """Another process has the DuckDB file open; a moment later it may not."""


class ProjectError(T2SError):
    """The dbt project or its artifacts could not be read."""


class QueryPlanError(T2SError):
    """A query plan cannot be turned into SQL over this schema."""


class CorpusError(T2SError):
    """No training corpus could be made."""


class ModelError(T2SError):
    """A model could not be loaded, trained or run."""


class JudgeError(T2SError):
    """A test set or a verdict could not be made."""


class CheckError(T2SError):
    """A change of the project harms questions in a way that was to be stopped."""


class ServeError(T2SError):
    """A question could not be taken."""


class LearnError(T2SError):
    """A model could not learn from what was said of it, or must not take another's place."""
