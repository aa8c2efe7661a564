"""One dbt project's artifacts (and data, if it may be asked) → its enriched schema."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from dbt_t2s import sql
from dbt_t2s.duck import Execute
from dbt_t2s.project import (
    artifacts as artifact_files,
)
from dbt_t2s.project import (
    columns,
    evidence,
    exposures,
    fiscal_years,
    joins,
    meta,
    metric_set,
    mined_joins,
    privacy,
    rulebook,
    secrets,
    semantics,
    statements,
    values,
    vocabulary,
)
from dbt_t2s.project import tables as table_nodes
from dbt_t2s.project.artifacts import Artifacts, Node, text
from dbt_t2s.project.asked import Asked, Asking
from dbt_t2s.project.data import Data, by_sql
from dbt_t2s.project.dbt import DbtProject
from dbt_t2s.project.evidence import Evidence
from dbt_t2s.project.found import Found
from dbt_t2s.project.lineage import Lineage
from dbt_t2s.project.memory import Memory
from dbt_t2s.project.metric_set import Progress
from dbt_t2s.project.places import Places
from dbt_t2s.project.schema import (
    Column,
    FiscalYear,
    Issue,
    Join,
    Kind,
    Level,
    Metric,
    ProjectSchema,
    Relation,
    Role,
    Rule,
    Table,
)
from dbt_t2s.project.semantics import Hints, SemanticModel
from dbt_t2s.project.statements import Trees
from dbt_t2s.project.tables import Chosen
from dbt_t2s.project.values import Profile, Wanted

# Columns that say when a row was loaded or changed, not when the thing happened.
_BOOKKEEPING = (
    "dbt_",
    "_",
    "etl_",
    "valid_",
    "updated",
    "loaded",
    "modified",
    "inserted",
    "synced",
)


@sql.uncollected()
def distill(
    project: DbtProject,
    *,
    as_of: str = "",
    select: frozenset[str] | None = None,
    execute: Execute | None = None,
    progress: Progress | None = None,
    profile_rows: int = values.PROFILE_ROWS,
    personal: Sequence[str] = meta.PERSONAL,
    packages: Sequence[str] = table_nodes.PACKAGES,
    trees: Trees | None = None,
    memory: Memory | None = None,
    data: Data | Issue | None = None,
    fiscal_year: FiscalYear | None = None,
) -> ProjectSchema:
    """The schema of ``project``; ``select`` (node ids) overrides which tables are queryable.

    ``execute`` runs SQL of the project's dialect on its data; without it nothing is sampled and
    nothing is checked on data. ``data`` is another road to it, or why there is none. Of tables with
    more than ``profile_rows`` rows a sample is looked at; ``personal`` are the tags and keys of
    meta that mark personal data, ``packages`` those whose nodes are queryable (see
    ``tables.choose``). ``trees`` keeps what is parsed for whoever mines the schema next; ``memory``
    what SQL was found to say, for the next run. ``fiscal_year`` goes before what the project says
    of its own. Artifacts must be there (``ensure_artifacts``).
    """
    tell = progress or (lambda stage, done, total: None)
    read = secrets.scrub(artifact_files.read(project.target_path))
    chosen, found = table_nodes.choose(read, select, packages)
    proof = evidence.gather(read)
    issues = [*read.issues, *([data] if isinstance(data, Issue) else []), *found, *proof.issues]
    relations = {_relation(each.node, project.dialect).lower(): each.name for each in chosen}
    models = semantics.read(read, relations, project.dialect)
    trees, memory = trees or Trees(), memory or Memory()
    lineage = Lineage(read, project.dialect, project.root, trees.parse, memory.nodes)
    marked = privacy.marked(read, personal, lineage)
    road = data if isinstance(data, Data) else execute and by_sql(execute, project.dialect)
    known = _Known(read, proof, models, lineage, marked, project.dialect, road, profile_rows)
    tables, found = _tables(chosen, known, tell)
    issues += found
    models = semantics.among(models, frozenset(table.name for table in tables))
    issues += lineage.issues({each.unique_id: each.columns for each in tables})
    behind = _behind(read, relations, lineage, project.dialect)
    asking = Asking(tables, behind, project.dialect, trees, memory.asked)
    asked, nodes = asking.of(statements.collect(read, ())), _relations(read, project.dialect)
    mined = mined_joins.find(asked, tables, nodes, lineage)
    edges, found = joins.find(tables, proof, models, known.execute, project.dialect, mined)
    issues += found
    proven = tuple(edge for edge in edges if edge.proven)
    metrics = metric_set.read(
        read, models, tables, proven, project.dialect, known.execute, tell, memory.answers
    )
    issues += metrics.issues
    collected = statements.collect(read, metrics.saved_queries)
    known = replace(known, models=models)
    business, found = _rules(known, tables, proven, metrics.metrics, asking.of(collected), project)
    issues += found
    fiscal_year, found = _fiscal_year(fiscal_year, known, tables, project)
    issues += found
    memory.keep(lineage.readings, asking.readings, metrics.answers)
    return ProjectSchema(
        project=project.name,
        dialect=project.dialect,
        tables=vocabulary.written_out(tables, edges),
        joins=edges,
        metrics=metrics.metrics,
        rules=business,
        saved_queries=metrics.saved_queries,
        exposures=exposures.read(read, tables, metrics.metrics),
        as_of=as_of,
        dbt_version=text(artifact_files.section(read.manifest, "metadata"), "dbt_version"),
        manifest_version=read.manifest_version,
        issues=tuple(issues),
        statements=collected,
        relations=behind,
        fiscal_year=fiscal_year,
    )


def _rules(
    known: _Known,
    tables: tuple[Table, ...],
    proven: tuple[Join, ...],
    metrics: tuple[Metric, ...],
    asked: Sequence[tuple[str, Asked]],
    project: DbtProject,
) -> tuple[tuple[Rule, ...], tuple[Issue, ...]]:
    material = rulebook.Material(
        known.artifacts,
        known.proof,
        tables,
        proven,
        metrics,
        known.models,
        asked,
        known.lineage,
        Places(project.root, project.name),
        known.execute,
    )
    return rulebook.find(material)


def _fiscal_year(
    given: FiscalYear | None, known: _Known, tables: Sequence[Table], project: DbtProject
) -> tuple[FiscalYear | None, tuple[Issue, ...]]:
    if given is not None:
        return given, ()
    return fiscal_years.find(known.artifacts, tables, project.vars(), known.dialect, known.execute)


def _relations(read: Artifacts, dialect: str) -> dict[str, str]:
    """Every node's id, sources included, by its lower-case relation; ephemeral ones' by their CTE.

    dbt puts that CTE into what it compiles; not every compiler does.
    """
    sources = artifact_files.section(read.manifest, "sources").values()
    nodes = (*read.nodes("model", "snapshot", "seed"), *(each for each in sources if each))
    found: dict[str, str] = {}
    for node in nodes:
        relation = _relation(node, dialect) or f"__dbt__cte__{text(node, 'name')}"
        found[relation.lower()] = text(node, "unique_id")
    return found


def _behind(
    read: Artifacts, queryable: Container[str], lineage: Lineage, dialect: str
) -> tuple[Relation, ...]:
    """The relations that are not queryable, where all their columns are known."""
    found = sorted(_relations(read, dialect).items())
    known = ((name, lineage.all_columns(each)) for name, each in found if name not in queryable)
    return tuple(Relation(name, names) for name, names in known if names)


def _relation(node: Node, dialect: str) -> str:
    written = text(node, "relation_name")
    try:
        return sql.relation(written, dialect)
    except sql.SqlError:
        return written


@dataclass(frozen=True)
class _Known:
    """What every table is read with."""

    artifacts: Artifacts
    proof: Evidence
    models: Sequence[SemanticModel]
    lineage: Lineage
    marked: privacy.Marked
    dialect: str
    data: Data | None
    profile_rows: int

    @property
    def execute(self) -> Execute | None:
        return self.data.execute if self.data else None


def _tables(
    chosen: Sequence[Chosen], known: _Known, tell: Progress
) -> tuple[tuple[Table, ...], tuple[Issue, ...]]:
    tables: list[Table] = []
    issues: list[Issue] = []
    for index, each in enumerate(chosen):
        tell("tables", index, len(chosen))
        table, found = _table(each, known)
        issues += found
        tables += [table] if table else []
    tell("tables", len(chosen), len(chosen))
    return tuple(tables), tuple(issues)


def _table(chosen: Chosen, known: _Known) -> tuple[Table | None, tuple[Issue, ...]]:
    """One table with its columns; None when it has none."""
    node, relation, proof = chosen.node, _relation(chosen.node, known.dialect), known.proof
    ask = known.data.columns if known.data else None
    found, issues = columns.find(known.artifacts, node, relation, known.lineage, ask)
    if not found:
        return None, issues
    hints = semantics.hints(known.models, chosen.name)
    kinds = [(each.name, columns.kind_of(each.type)) for each in found]
    private = known.marked.of(chosen.unique_id, kinds)
    profile, more = _profile(chosen, relation, found, private, hints, known)
    issues = (*issues, *known.marked.issues(chosen.unique_id, private), *more)
    name = table_nodes.entity(chosen.name, hints.primary_entity)
    key = _primary_key(chosen.unique_id, name, found, proof, hints, profile)
    built = columns.build(found, node, proof, profile, hints, key, private)
    time_column, more = _time_column(chosen, built, hints)
    description, origin = meta.described(node, hints.description)
    table = Table(
        name=chosen.name,
        relation=relation,
        unique_id=chosen.unique_id,
        path=text(node, "original_file_path"),
        columns=built,
        label=meta.label(node) or hints.label,
        description=description,
        description_origin=origin,
        synonyms=meta.synonyms(node),
        primary_key=key,
        entity=meta.clean(text(meta.own(node), "entity")) or name,
        time_column=time_column,
        rows=profile.rows,
        layer=table_nodes.layer(node),
        group=exposures.group(node),
        owner=exposures.owners(known.artifacts).get(exposures.group(node), ""),
    )
    return table, (*issues, *more)


def _profile(
    chosen: Chosen,
    relation: str,
    found: Sequence[Found],
    private: frozenset[str],
    hints: Hints,
    known: _Known,
) -> tuple[Profile, tuple[Issue, ...]]:
    """What the data says; nothing where it may not be asked or the table is not built."""
    built = any(each.origin in ("warehouse", "catalog") for each in found)
    if known.data is None or not built:
        return Profile(), ()
    wanted = [
        Wanted(
            each.name,
            columns.kind_of(each.type),
            each.name in private,
            _identifies(chosen.unique_id, each.name, known.proof, hints),
        )
        for each in found
    ]
    return known.data.look(chosen.unique_id, relation, wanted, known.profile_rows)


def _identifies(unique_id: str, name: str, proof: Evidence, hints: Hints) -> bool:
    """Whether a column only points at rows, so that its values say nothing to a reader."""
    lower = name.lower()
    semantic = lower in hints.keys or lower in hints.foreign
    return semantic or columns.is_key_name(name) or bool(proof.about(unique_id, "points_at", name))


def _primary_key(
    unique_id: str,
    entity: str,
    found: Sequence[Found],
    proof: Evidence,
    hints: Hints,
    profile: Profile,
) -> tuple[str, ...]:
    """The columns that tell rows apart: as dbt says, as a test or entity says, as the data shows.

    Whatever is said, data that repeats a single key disproves it.
    """
    names = {each.name.lower(): each.name for each in found}
    tested = [fact.columns for fact in proof.of(unique_id, "unique")]
    tested.sort(key=lambda each: (len(each), not columns.is_key_name(each[0])))
    alone = {each[0].lower() for each in tested if len(each) == 1}
    # dbt lists all columns that are keys by themselves; together they are no key.
    declared = [fact.columns for fact in proof.of(unique_id, "primary_key")]
    said = [key for key in declared if len(key) == 1 or not {n.lower() for n in key} <= alone]
    said += tested
    said += [(key,) for key in sorted(hints.keys)]
    likely = ("id", f"{entity}_id", f"{entity}_key")
    said += [(name,) for name in likely if _is_distinct(names.get(name, ""), profile)]
    for key in said:
        if not all(name.lower() in names for name in key):
            continue
        spelled = tuple(names[name.lower()] for name in key)
        if len(spelled) > 1 or not profile.rows or _is_distinct(spelled[0], profile):
            return spelled
    return ()


def _is_distinct(name: str, profile: Profile) -> bool:
    seen = profile.column(name)
    return seen is not None and bool(profile.seen) and seen.distinct == profile.seen


def _time_column(
    chosen: Chosen, built: Sequence[Column], hints: Hints
) -> tuple[str, tuple[Issue, ...]]:
    """The column that dates a row: as meta, the semantic model or the node's event time says,
    else the first date that is no bookkeeping."""
    dates = [each for each in built if each.kind in (Kind.DATE, Kind.TIMESTAMP)]
    names = {each.name.lower(): each.name for each in dates}
    event_time = text(artifact_files.section(chosen.node, "config"), "event_time")
    said = (text(meta.own(chosen.node), "time_column"), hints.time_column, event_time)
    issues: tuple[Issue, ...] = ()
    for name in said:
        if name.lower() in names:
            return names[name.lower()], issues
        if name:
            message = f"{name} is said to date its rows, but is no date or timestamp"
            issues = (*issues, Issue(Level.WARNING, chosen.unique_id, message))
    real = [each for each in dates if not each.name.lower().startswith(_BOOKKEEPING)]
    of_event = [each for each in real if each.role is Role.TIME]
    return (of_event[0].name if of_event else ""), issues
