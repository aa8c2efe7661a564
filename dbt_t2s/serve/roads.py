"""By which road a question's SQL is run, where it is checked on rows that were made up."""

from __future__ import annotations

from dataclasses import replace

from dbt_t2s.duck import Execute, QueryError, Rows

# The kind of an error that SQL meets in the warehouse alone: nothing is wrong with the SQL.
WAREHOUSE = "warehouse"


def checked_first(check: Execute, ask: Execute) -> Execute:
    """What ``ask`` says of SQL that ``check`` can run: whatever it refuses goes no further."""

    def execute(sql: str) -> Rows | QueryError:
        checked = check(sql)
        if isinstance(checked, QueryError):
            return checked
        found = ask(sql)
        return QueryError(WAREHOUSE, found.message) if isinstance(found, QueryError) else found

    return execute


def checked_alone(check: Execute) -> Execute:
    """Nothing but the columns of SQL that ``check`` can run: its rows are nobody's."""

    def execute(sql: str) -> Rows | QueryError:
        found = check(sql)
        return found if isinstance(found, QueryError) else replace(found, rows=(), truncated=False)

    return execute
