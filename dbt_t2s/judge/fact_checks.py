"""Whether the tables of a warehouse hold what the project's tests say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dbt_t2s import duck
from dbt_t2s import sql as language
from dbt_t2s.duck import Connection, QueryError
from dbt_t2s.project.assertions import Fact
from dbt_t2s.project.schema import Issue, Level

CHECKED = frozenset({"unique", "not_null", "accepted_values", "points_at", "range", "expression"})
NameOf = Callable[[str], str]


@dataclass(frozen=True)
class FactCheck:
    """``failures`` are rows (groups of rows for unique) that break the fact, ``problem`` says why
    it could not be checked."""

    fact: Fact
    failures: int = 0
    problem: str = ""

    @property
    def holds(self) -> bool:
        return not self.failures and not self.problem


def check(
    facts: Iterable[Fact], connection: Connection, name_of: NameOf, dialect: str
) -> tuple[FactCheck, ...]:
    """The facts whose tables are there; ``name_of`` gives a node's quoted name, empty if it is not.

    Facts that are said but checked by nobody (``maybe_…``) are left out.
    """
    found: list[FactCheck] = []
    for fact in dict.fromkeys(facts):
        table, target = name_of(fact.subject), name_of(fact.target or fact.subject)
        if fact.kind in CHECKED and table and target:
            found.append(_check(fact, connection, table, target, dialect))
    return tuple(found)


def issues(checks: Iterable[FactCheck]) -> tuple[Issue, ...]:
    """What does not hold, one issue for each fact."""
    return tuple(_issue(each) for each in checks if not each.holds)


def _issue(check: FactCheck) -> Issue:
    fact = check.fact
    what = f"{fact.kind} of {', '.join(fact.columns) or fact.expression} of {fact.subject}"
    why = f"cannot be checked: {check.problem}" if check.problem else "does not hold"
    count = f" ({check.failures} rows)" if check.failures else ""
    return Issue(Level.WARNING, fact.node, f"in the made-up warehouse, {what} {why}{count}")


def _check(fact: Fact, connection: Connection, table: str, target: str, dialect: str) -> FactCheck:
    try:
        sql = _failing(fact, table, target, dialect)
    except language.SqlError as error:
        return FactCheck(fact, problem=duck.first_line(str(error)))
    found = duck.run(connection, f"select count(*) from ({sql})")
    if isinstance(found, QueryError):
        return FactCheck(fact, problem=duck.first_line(found.message))
    return FactCheck(fact, failures=int(str(found.rows[0][0])))


def _failing(fact: Fact, table: str, target: str, dialect: str) -> str:
    """The rows that break the fact; for unique the groups of rows."""
    if fact.kind == "unique":
        listed = _listed(fact)
        filled = f" where {listed} is not null" if len(fact.columns) == 1 else ""
        return f"select 1 from {table}{filled} group by {listed} having count(*) > 1"
    return f"select 1 from {table} t where {_breaks(fact, target, dialect)}"


def take_out(fact: Fact, connection: Connection, table: str, target: str, dialect: str) -> int:
    """Deletes the rows that break the fact, and says how many: those that repeat a key, or others
    if most rows stay. What cannot be read is left to ``check`` to say.
    """
    if fact.kind == "unique":
        listed = _listed(fact)
        filled = f" and {listed} is not null" if len(fact.columns) == 1 else ""
        first = f"select min(rowid) from {table} group by {listed}"
        broken = f"select rowid from {table} where rowid not in ({first}){filled}"
    else:
        try:
            condition = _breaks(fact, target, dialect)
        except language.SqlError:
            return 0
        broken = f"select t.rowid from {table} t where {condition}"
    found = duck.run(connection, f"select count(*), (select count(*) from {table}) from ({broken})")
    if isinstance(found, QueryError):
        return 0
    count, of_all = (int(str(each)) for each in found.rows[0])
    if not count or (fact.kind != "unique" and 2 * count > of_all):
        return 0
    done = duck.run(connection, f"delete from {table} where rowid in ({broken})")
    return 0 if isinstance(done, QueryError) else count


def _listed(fact: Fact) -> str:
    return ", ".join(duck.quoted(each) for each in fact.columns)


def _breaks(fact: Fact, target: str, dialect: str) -> str:
    """What is true of the rows (of ``t``) that break the fact."""
    columns = [f"t.{duck.quoted(each)}" for each in fact.columns]
    if fact.kind == "not_null":
        return f"{columns[0]} is null"
    if fact.kind == "accepted_values":
        values = ", ".join(_text(each) for each in fact.values)
        numbers = f"select try_cast(unnest([{values}]) as double)"
        return (
            f"cast({columns[0]} as varchar) not in ({values})"
            f" and coalesce(try_cast({columns[0]} as double) not in ({numbers}), true)"
        )
    if fact.kind == "points_at":
        to = [duck.quoted(each) for each in fact.target_columns]
        same = " and ".join(f"p.{b} = {a}" for a, b in zip(columns, to, strict=True))
        filled = " and ".join(f"{each} is not null" for each in columns)
        return f"{filled} and not exists (from {target} p where {same})"
    if fact.kind == "range":
        bounds = ((fact.minimum, "<"), (fact.maximum, ">"))
        outside = [f"{columns[0]} {sign} {_bound(each)}" for each, sign in bounds if each]
        return f"({' or '.join(outside)})"
    return f"not ({transpiled(fact.expression, dialect)})"


def transpiled(expression: str, dialect: str) -> str:
    """An expression of the project in DuckDB's dialect; ``SqlError`` where there is none."""
    return expression if dialect == "duckdb" else language.transpile(expression, dialect, "duckdb")


def _bound(value: str) -> str:
    try:
        float(value)
    except ValueError:
        return _text(value)
    return value


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
