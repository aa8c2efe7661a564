"""The fixture warehouse: a DuckDB file with every queryable node, for a project without data.

Seeds are read as they are, sources are made up, models run over them in the order of the DAG; what
cannot run, or comes out empty, is made up as well. ``build`` is the door.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import duck
from dbt_t2s.duck import Connection, QueryError
from dbt_t2s.errors import WarehouseError
from dbt_t2s.judge import dag, fact_checks, generated, made_tables, seed_files
from dbt_t2s.judge.dag import Step
from dbt_t2s.judge.duck_types import duck_type
from dbt_t2s.judge.fixture_inputs import FixtureInputs, is_stored
from dbt_t2s.judge.generated import Pools, Row
from dbt_t2s.judge.layout import layout_of
from dbt_t2s.judge.query_columns import Place
from dbt_t2s.judge.table_bounds import TableBounds
from dbt_t2s.project.artifacts import Artifacts
from dbt_t2s.project.schema import Issue, Level, ProjectSchema

# A model that takes longer is made up: over few rows none should.
_MODEL_S = 20.0
_MOST_HELD = 2000


@dataclass(frozen=True)
class MadeTable:
    """A table of the file; ``how`` is kept, seed, run (a model's SQL) or generated."""

    node: str
    relation: str
    how: str
    rows: int


@dataclass(frozen=True)
class Fixtures:
    """``checked`` and ``held`` count the project's tests on the tables, and those that hold."""

    path: Path
    tables: tuple[MadeTable, ...]
    checked: int = 0
    held: int = 0
    issues: tuple[Issue, ...] = ()


def build(
    schema: ProjectSchema,
    artifacts: Artifacts,
    directory: Path,
    *,
    root: Path | None = None,
    seed: int = 0,
    over: Path | None = None,
) -> Fixtures:
    """Makes ``<database>.duckdb`` in ``directory``: relations bear the names that the project's SQL
    gives them (see ``Layout``). ``root`` is where seeds' files lie. ``over`` is a DuckDB file whose
    tables stay as they are where they have rows; its name must be ``catalog_of`` the project.

    The same inputs and seed give the same rows. WarehouseError if the file cannot be written.
    """
    project = FixtureInputs(schema, artifacts, root)
    folder = directory / f".fixtures.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the made-up warehouse cannot be written: {error.strerror}"
        raise WarehouseError(message, where=str(directory)) from error
    try:
        path = folder / f"{project.layout.catalog}.duckdb"
        builder = _Builder(project, path, seed, over)
        builder.make()
        checks = builder.checks()
        if not all(each.holds for each in checks):
            # Children may only point at parents that came through the filters above them, and what
            # still breaks a test goes before the models below are run.
            again = _Builder(project, path, seed, over, builder.survivors(checks), strict=True)
            again.make()
            builder, checks = again, again.checks()
        absent = builder.absent()
        final = directory / path.name
        # Writes to what was there before must not be taken for writes to this.
        final.with_name(f"{final.name}.wal").unlink(missing_ok=True)
        path.replace(final)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Fixtures(
        final,
        tuple(builder.made.values()),
        len(checks),
        sum(each.holds for each in checks),
        (*builder.issues, *fact_checks.issues(checks), *absent, *_missing(project, builder.made)),
    )


class _Builder:
    """One file, made table after table."""

    def __init__(
        self,
        project: FixtureInputs,
        path: Path,
        seed: int,
        over: Path | None = None,
        survivors: Mapping[Place, Sequence[Row]] | None = None,
        *,
        strict: bool = False,
    ) -> None:
        """``survivors`` are the rows that single columns of tests' targets hold; if ``strict``, a
        model's rows that break a test are taken out."""
        self._project = project
        self._path = path
        self._seed = seed
        self._over = over
        self._survivors = survivors or {}
        self._strict = strict
        self._fixed: dict[Place, Sequence[object]] = {}
        self._sizes: dict[Place, int] = {}
        self.made: dict[str, MadeTable] = {}
        self.issues: list[Issue] = []

    def make(self) -> None:
        """Every table."""
        self._path.unlink(missing_ok=True)
        if self._over is not None:
            duck.copy_warehouse(self._over, self._path.parent)
        with duck.open_writable(self._path) as connection:
            self._create_schemas(connection)
            self._keep(connection)
            self._load_seeds(connection)
            self._measure_keys()
            for node in self._project.roots:
                if node not in self.made:
                    self._generate(connection, node, "")
            connection.execute("checkpoint")
        with duck.open_for_models(self._path, _MODEL_S) as connection:
            for node, step in self._project.steps.items():
                if node not in self.made and is_stored(self._project.artifacts.node(node)):
                    self._run(connection, step)
            connection.execute("checkpoint")

    def checks(self) -> tuple[fact_checks.FactCheck, ...]:
        connection = duck.open_read_only(self._path)
        try:
            facts, dialect = self._project.facts, self._project.schema.dialect
            return fact_checks.check(facts, connection, self._name, dialect)
        finally:
            connection.close()

    def absent(self) -> tuple[Issue, ...]:
        """The columns that queryable tables should have and that the made-up ones have not."""
        found: list[Issue] = []
        connection = duck.open_read_only(self._path)
        try:
            for table in self._project.schema.tables:
                name = self._name(table.unique_id)
                there = {each.lower() for each, _ in _described(connection, name)} if name else None
                lost = [c.name for c in table.columns if there and c.name.lower() not in there]
                if lost:
                    message = f"the made-up table lacks these columns: {', '.join(lost)}"
                    hint = "dbt compile && dbt docs generate"
                    found.append(Issue(Level.WARNING, table.unique_id, message, hint))
        finally:
            connection.close()
        return tuple(found)

    def survivors(self, checks: Sequence[fact_checks.FactCheck]) -> dict[Place, Sequence[Row]]:
        """What the targets of failing relationships hold, by (node, column)."""
        targets = {
            (each.fact.target, each.fact.target_columns[0].lower())
            for each in checks
            if each.failures and each.fact.kind == "points_at" and len(each.fact.columns) == 1
        }
        connection = duck.open_read_only(self._path)
        try:
            found = {(n, c): self._select(connection, self._name(n), (c,)) for n, c in targets}
            return {place: rows for place, rows in found.items() if rows}
        finally:
            connection.close()

    def _name(self, node: str) -> str:
        made = self.made.get(self._project.layout.owner(node))
        return made.relation if made else ""

    # --- steps ---------------------------------------------------------------------------------

    def _create_schemas(self, connection: Connection) -> None:
        project = self._project
        nodes = (*project.order, *project.others)
        for schema in sorted(
            {project.layout.of_parts(project.parts_of(each))[0] for each in nodes}
        ):
            name = duck.quoted(project.layout.catalog, schema)
            connection.execute(f"create schema if not exists {name}")

    def _keep(self, connection: Connection) -> None:
        """What has rows stays, as a table; what has none makes room."""
        if self._over is None:
            return
        project = self._project
        kinds = {(s.lower(), n.lower()): k for _, s, n, k in duck.relations_of(self._over)}
        for node in (*project.order, *sorted(project.others)):
            schema, name = project.layout.of_parts(project.parts_of(node))
            kind = kinds.get((schema.lower(), name.lower()))
            if kind is None:
                continue
            target = duck.quoted(project.layout.catalog, schema, name)
            if made_tables.keep(connection, target, kind):
                self._note(connection, node, target, "kept")
                if node not in project.steps:
                    self._fix(connection, node, target)

    def _load_seeds(self, connection: Connection) -> None:
        project = self._project
        for node in project.roots:
            found = project.artifacts.node(node)
            is_seed = found.get("resource_type") == "seed"
            if not is_seed or project.root is None or node in self.made:
                continue
            known = {each.name.lower(): each.type for each in project.columns_of(node) if each.type}
            types = {name: duck_type(kind, project.schema.dialect) for name, kind in known.items()}
            target = project.layout.quoted(project.parts_of(node))
            problem = seed_files.load(connection, target, found, project.root, types)
            if problem:
                self._tell(node, f"its rows are made up: {problem}", "dbt seed")
                continue
            self._note(connection, node, target, "seed")
            self._fix(connection, node, target)

    def _fix(self, connection: Connection, node: str, target: str) -> None:
        """What a seed or a kept source holds is all that there is: others draw from it."""
        for column in self._project.bounds.of(node).columns:
            held = self._select(connection, target, (column.name,))
            if held and (column.unique or column.domain not in self._fixed):
                self._fixed[column.domain] = tuple(row[0] for row in held)

    def _measure_keys(self) -> None:
        """How many keys of each domain there are: as many as the things that they are keys of."""
        main: dict[Place, int] = {}
        others: dict[Place, int] = {}
        for node in self._project.roots:
            if node in self.made:
                continue
            table = self._project.bounds.of(node)
            for column in table.columns:
                if column.unique and column.is_key:
                    sizes = main if column.is_main else others
                    known = sizes.get(column.domain, table.rows)
                    sizes[column.domain] = min(known, table.rows)
        self._sizes = others | main

    def _run(self, connection: Connection, step: Step) -> None:
        project, node = self._project, step.node
        target = project.layout.quoted(project.parts_of(node))
        if step.reads_itself:
            # As in the first run after it was made: nothing is in it yet.
            self._create(connection, target, project.bounds.of(node), ())
        problem = step.problem or dag.run(connection, target, step.sql)
        if not problem:
            taken = self._take_out(connection, node, target) if self._strict else 0
            self._note(connection, node, target, "run")
            if taken:
                kept = self.made[node].rows
                message = f"{taken} rows that broke a test were taken out, {kept} kept"
                self._tell(node, message)
            if self.made[node].rows:
                for each in step.lost:
                    self._tell(node, f"it ran without what DuckDB has no form for: {each}")
                return
            problem = "its SQL gives no row over the made-up inputs"
        self._generate(connection, node, problem)

    def _take_out(self, connection: Connection, node: str, target: str) -> int:
        """Takes out the rows that break what tests say of the node, and counts them."""
        taken = 0
        for fact in self._project.facts_of(node):
            pointed = target if fact.target in ("", node) else self._name(fact.target)
            if pointed:
                dialect = self._project.schema.dialect
                taken += fact_checks.take_out(fact, connection, target, pointed, dialect)
        return taken

    def _generate(self, connection: Connection, node: str, problem: str) -> None:
        """Made-up rows for a node; ``problem`` says why a model's SQL did not make them."""
        project = self._project
        target = project.layout.quoted(project.parts_of(node))
        table = self._typed(connection, node, project.bounds.of(node))
        if not table.columns:
            self._tell(node, f"left out, for none of its columns is known. {problem}".strip())
            return
        pools = Pools(
            lambda of, columns: self._held(connection, of, columns), self._fixed, self._sizes
        )
        rows = generated.rows(table, pools, self._seed, project.as_of)
        failed = self._create(connection, target, table, rows)
        if problem:
            self._tell(node, f"its rows are made up: {problem}", "dbt compile")
        if failed:
            self._tell(node, f"its rows could not be made up: {failed}")
            return
        self._note(connection, node, target, "generated")

    def _create(
        self, connection: Connection, target: str, table: TableBounds, rows: Sequence[Row]
    ) -> str:
        return made_tables.create(connection, target, table, rows, self._project.schema.dialect)

    def _typed(self, connection: Connection, node: str, table: TableBounds) -> TableBounds:
        """The table with the columns that its SQL gave, where that ran without giving rows."""
        if node not in self.made:
            return table
        return table.retyped(_described(connection, self.made[node].relation))

    def _note(self, connection: Connection, node: str, target: str, how: str) -> None:
        counted = duck.run(connection, f"select count(*) from {target}")
        count = 0 if isinstance(counted, QueryError) else int(str(counted.rows[0][0]))
        self.made[node] = MadeTable(node, target, how, count)

    def _held(self, connection: Connection, node: str, columns: tuple[str, ...]) -> Sequence[Row]:
        if len(columns) == 1 and (node, columns[0]) in self._survivors:
            return self._survivors[(node, columns[0])]
        return self._select(connection, self._name(node), columns) if node in self.made else ()

    def _select(
        self, connection: Connection, target: str, columns: tuple[str, ...]
    ) -> Sequence[Row]:
        """The different filled rows of some columns; none where they cannot be read."""
        listed_ = ", ".join(duck.quoted(each) for each in columns)
        filled = " and ".join(f"{duck.quoted(each)} is not null" for each in columns)
        query = f"select distinct {listed_} from {target} where {filled} order by all"
        found = duck.run(connection, query, _MOST_HELD)
        return () if isinstance(found, QueryError) else found.rows

    def _tell(self, node: str, message: str, hint: str = "") -> None:
        self.issues.append(Issue(Level.WARNING, node, message, hint))


def _described(connection: Connection, target: str) -> tuple[tuple[str, str], ...]:
    found = duck.run(connection, f"describe {target}")
    if isinstance(found, QueryError):
        raise WarehouseError(f"{target} cannot be read: {found.message}")
    return tuple((str(row[0]), str(row[1])) for row in found.rows)


def _missing(inputs: FixtureInputs, made: Mapping[str, MadeTable]) -> tuple[Issue, ...]:
    """Queryable nodes that are not there, or under another name than the project's."""
    found: list[Issue] = []
    for table in inputs.schema.tables:
        there = made.get(inputs.layout.owner(table.unique_id))
        if there is None or not there.rows:
            message = "it has no rows in the made-up warehouse"
            found.append(Issue(Level.ERROR, table.unique_id, message, "declare its columns"))
        parts = inputs.parts_of(table.unique_id)
        if there and len(parts) == 3 and parts[0].lower() != inputs.layout.catalog.lower():
            message = f"it is in another database than most tables, so here it is {there.relation}"
            found.append(Issue(Level.WARNING, table.unique_id, message))
    return tuple(found)


def catalog_of(schema: ProjectSchema, artifacts: Artifacts) -> str:
    """The name of the file, and of its database: the one that most tables are in."""
    return layout_of(artifacts, (table.unique_id for table in schema.tables)).catalog


def summary(tables: Sequence[MadeTable]) -> Mapping[str, int]:
    """How many tables were made in which way."""
    return Counter(each.how for each in tables)
