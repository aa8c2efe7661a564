"""Gold SQL against plan SQL on generated rows: ``python -m tests.tools.pretrain.check DATA``."""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from dbt_t2s.duck import QueryError, Rows, open_writable, run
from dbt_t2s.errors import WarehouseError
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.gold_order import is_ordered
from dbt_t2s.project.schema import Column, Kind, ProjectSchema, Table
from dbt_t2s.query.bind import Binder
from dbt_t2s.query.linear import to_tokens
from dbt_t2s.query.plan import Plan
from dbt_t2s.query.sql_source import NotConvertedError
from dbt_t2s.sql import SqlError, exp, to_sql
from tests.tools.pretrain.golds import gold_converter, names_of, parsed
from tests.tools.pretrain.names import canonical
from tests.tools.pretrain.rows import read_schemas

_ROWS = 20
_SCHEMAS = 30
_MOST = 900
_NUMBERS = (1, 2, 3, 5, 8, 10, 20, 50, 100, 200, 1000, 2000, 2010, 2014, 10000)


def duck_sql(gold: str, schema: ProjectSchema) -> str:
    """The gold in DuckDB's dialect, with the schema's names and without regard to case."""
    names = names_of(schema)
    tree = parsed(gold, names)
    columns = {k: v for found in names.columns.values() for k, v in found.items()}
    aliases = {e.alias.lower() for e in tree.find_all(exp.Alias)}
    for table in tree.find_all(exp.Table):
        table.set("this", exp.to_identifier(names.table(table.name), quoted=True))
    for column in tree.find_all(exp.Column):
        if isinstance(column.this, exp.Star) or column.name.lower() in aliases:
            continue
        if canonical(column.name) not in columns:
            raise NotConvertedError("a column that its tables lack")
        column.set("this", exp.to_identifier(columns[canonical(column.name)], quoted=True))
        if column.table and canonical(column.table) in names.tables:
            table_alias = {t.alias_or_name for t in tree.find_all(exp.Table)}
            if column.table not in table_alias:
                real = names.table(column.table)
                column.set("table", exp.to_identifier(real, quoted=True))
    for like in list(tree.find_all(exp.Like)):
        like.replace(exp.ILike(this=like.this, expression=like.expression))
    for group in tree.find_all(exp.Select):
        _loosen(group)
    return to_sql(tree, "duckdb")


def _loosen(select: exp.Select) -> None:
    """SQLite selects and sorts by columns that GROUP BY settles without naming them."""
    grouped = select.args.get("group")
    if not grouped:
        return
    said = {to_sql(e, "duckdb") for e in grouped.expressions}
    ordered = select.args.get("order")
    more = [*select.expressions, *(o.this for o in (ordered.expressions if ordered else []))]
    for each in more:
        node = each.unalias()
        if isinstance(node, exp.Column) and to_sql(node, "duckdb") not in said:
            grouped.append("expressions", node.copy())
            said.add(to_sql(node, "duckdb"))


def _value(column: Column, rng: random.Random, at: int) -> object:
    if column.kind is Kind.NUMBER:
        return rng.choice(_NUMBERS) + rng.choice((0, 0, 1))
    if column.kind in (Kind.DATE, Kind.TIMESTAMP):
        return (date(2010, 1, 1) + timedelta(days=rng.randrange(3000))).isoformat()
    if column.kind is Kind.BOOLEAN:
        return rng.random() < 0.5
    if column.values and rng.random() < 0.8:
        return rng.choice(column.values)
    return f"{column.name} {at}"


def _filled(schema: ProjectSchema, rng: random.Random) -> dict[str, list[dict[str, object]]]:
    made: dict[str, list[dict[str, object]]] = {}
    for table in schema.tables:
        made[table.name] = [_row(table, rng, at) for at in range(_ROWS)]
    for _ in range(4):  # keys that are foreign keys themselves settle after a few rounds
        for join in schema.joins:
            for row in made[join.table]:
                target = rng.choice(made[join.to_table])
                for left, right in zip(join.columns, join.to_columns, strict=True):
                    row[left] = target[right]
    return made


def _row(table: Table, rng: random.Random, at: int) -> dict[str, object]:
    row = {c.name: _value(c, rng, at) for c in table.columns}
    for key in table.primary_key:
        kind, values = table.column(key).kind, table.column(key).values
        if kind not in (Kind.TEXT, Kind.NUMBER):
            continue
        text = kind is Kind.TEXT
        row[key] = (values[at] if at < len(values) else f"{key} {at}") if text else at + 1
    # Two rows of one name are one group for the plan and two for the gold.
    for column in table.columns:
        if column.kind is Kind.TEXT and "name" in column.label.split():
            values = column.values
            row[column.name] = values[at] if at < len(values) else f"{column.name} {at}"
    return row


def statements(schema: ProjectSchema, rng: random.Random) -> Iterator[str]:
    rows = _filled(schema, rng)
    for table in schema.tables:
        columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
        yield f"create table {table.relation} ({columns})"
        for row in rows[table.name]:
            yield f"insert into {table.relation} values ({', '.join(map(_literal, row.values()))})"


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def check(data: Path) -> None:
    found, questions = read_schemas(data)
    gold: dict[str, set[str]] = defaultdict(set)
    for question in questions:
        gold[question["db_id"]].add(question["sql"])
    chosen = random.Random(3).sample(sorted(found), _SCHEMAS)
    verdicts: Counter[str] = Counter()
    differing: list[str] = []
    for name in chosen:
        if sum(verdicts.values()) >= _MOST:
            break
        with tempfile.TemporaryDirectory() as folder:
            try:
                judged = list(_one(found[name], sorted(gold[name]), Path(folder)))
            except WarehouseError:
                # A foreign key of another type than its key: no rows can be made for it.
                verdicts["a database that cannot be filled"] += 1
                continue
            verdicts.update(verdict for verdict, _ in judged)
            differing += [f"{name}: {text}" for verdict, text in judged if verdict == "differs"]
    for verdict, count in verdicts.most_common():
        print(f"{count:5} {verdict}")
    print("\n".join(differing))


def _one(schema: ProjectSchema, gold: list[str], folder: Path) -> Iterator[tuple[str, str]]:
    converter, binder = gold_converter(schema), Binder(schema)
    rng = random.Random(11)
    with open_writable(folder / "made.duckdb") as connection:
        for statement in statements(schema, rng):
            connection.execute(statement)
        for text in gold:
            try:
                plan = converter.plan(text)
                wanted_sql = duck_sql(text, schema)
            except (NotConvertedError, SqlError):
                continue
            wanted, got = run(connection, wanted_sql), run(connection, binder.sql(plan))
            yield _verdict(wanted, got, text, plan, wanted_sql)


def _verdict(
    wanted: Rows | QueryError, got: Rows | QueryError, text: str, plan: Plan, wanted_sql: str
) -> tuple[str, str]:
    if isinstance(wanted, QueryError):
        return "the gold does not run", text
    if isinstance(got, QueryError):
        return "differs", f"{text}\n    {got.message[:150]}"
    verdict = compare(wanted, got, False)
    if verdict.equal:
        return ("equal" if wanted.rows else "equal, both empty"), text
    if not is_ordered(wanted_sql, "duckdb") or plan.limit is None:
        wanted, got = _once(wanted), _once(got)
        if compare(wanted, got, False).equal:
            return "equal but for doubled rows", text
    elif plan.limit is not None and len(wanted.rows) == len(got.rows):
        return "same count under LIMIT (ties)", text
    return "differs", f"{text}\n    {' '.join(to_tokens(plan))}\n    {verdict.reason}"


def _once(rows: Rows) -> Rows:
    return Rows(rows.columns, rows.types, tuple(dict.fromkeys(rows.rows)))


if __name__ == "__main__":
    check(Path(sys.argv[1]))
