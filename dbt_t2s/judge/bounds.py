"""What a project's tests, docs and SQL demand of the tables that have to be made up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dbt_t2s import sql as language
from dbt_t2s.judge import json_paths, plausible
from dbt_t2s.judge.column_types import type_from_usage
from dbt_t2s.judge.conditions import Condition
from dbt_t2s.judge.duck_types import duck_type
from dbt_t2s.judge.query_columns import Place
from dbt_t2s.judge.table_bounds import ColumnBounds, Pointer, Scenario, TableBounds, kind_in_duckdb
from dbt_t2s.judge.trails import Domains, Trails
from dbt_t2s.judge.usage import Usage
from dbt_t2s.project.assertions import Fact
from dbt_t2s.project.columns import is_key_name, kind_of
from dbt_t2s.project.found import Found
from dbt_t2s.project.schema import Column, Kind, ProjectSchema
from dbt_t2s.project.tables import entity

# Tables that others point at have fewer rows than those that point.
PARENT_ROWS, CHILD_ROWS, MOST_ROWS = 40, 120, 400


@dataclass
class _Said:
    """What is said of one place."""

    types: list[str] = field(default_factory=list)
    asked: dict[Condition, None] = field(default_factory=dict)
    unique: bool = False
    pointed: bool = False
    required: bool = False
    accepted: tuple[str, ...] = ()
    minimum: str = ""
    maximum: str = ""
    decoded: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    paths: dict[json_paths.Path, None] = field(default_factory=dict)
    format: str = ""
    profile: Column | None = None


class Bounds:
    """Everything that is demanded of any table, ready to be asked for one table after another."""

    def __init__(
        self,
        schema: ProjectSchema,
        facts: Sequence[Fact],
        usages: Mapping[str, Usage],
        columns_of: Callable[[str], Sequence[Found]],
        examples: Mapping[Place, tuple[str, ...]],
    ) -> None:
        """``columns_of`` gives the known columns of a node, with their types where known;
        ``examples`` are values that people wrote for some columns."""
        self._dialect = schema.dialect
        self._columns_of = columns_of
        self.trails = Trails(usages)
        self._said: defaultdict[Place, _Said] = defaultdict(_Said)
        self._unique: defaultdict[str, dict[tuple[str, ...], None]] = defaultdict(dict)
        self._pointers: defaultdict[str, dict[Pointer, None]] = defaultdict(dict)
        self._expressions: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._scenarios: defaultdict[str, dict[Scenario, None]] = defaultdict(dict)
        self._names: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._domains = Domains()
        self._alike = Domains()  # columns of one type
        for node, usage in usages.items():
            self._use(node, usage)
        for table in schema.tables:
            for column in table.columns:
                self._describe((table.unique_id, column.name.lower()), column)
        for place, values in examples.items():
            for origin in self.trails.trail(place):
                self._said[origin.place].examples += values
        for fact in facts:
            self._assert(fact)
        self._join(schema)
        self._tables: dict[str, TableBounds] = {}
        self._guess_keys(set(usages))
        self._members = self._domains.members()
        self._typed_alike = self._alike.members()

    # --- gathering -----------------------------------------------------------------------------

    def _use(self, node: str, usage: Usage) -> None:
        for above in usage.open:
            self._names.setdefault(above, {})
        for name, origins in usage.outputs:
            self._names[node][name] = None
            for origin in origins:
                self._names[origin.place[0]][origin.place[1]] = None
                if not origin.scaled:
                    self._domains.join((node, name), origin.place)
                    self._alike.join((node, name), origin.place)
        for place in usage.reads:
            for origin in self.trails.trail(place):
                self._names[origin.place[0]][origin.place[1]] = None
                self._domains.join(place, origin.place)
                self._alike.join(place, origin.place)
        for one, other in usage.equal:
            self._domains.join(one, other)
        for one, other in (*usage.equal, *usage.compared):
            self._alike.join(one, other)
        for place, values in usage.decoded:
            for origin in self.trails.trail(place):
                self._said[origin.place].decoded += values
        for place, path in usage.paths:
            for origin in self.trails.trail(place):
                self._said[origin.place].paths[path] = None
        for place, format_ in usage.formats:
            for origin in self.trails.trail(place):
                self._said[origin.place].format = format_
        for place, kind in usage.types:
            for origin in self.trails.trail(place):
                self._said[origin.place].types.append(kind)
        for place, condition in usage.seen:
            for origin in self.trails.trail(place):
                self._said[origin.place].asked[condition] = None
        for scenario in usage.scenarios:
            of_node: defaultdict[str, list[tuple[str, Condition]]] = defaultdict(list)
            for place, condition in scenario:
                for origin in self.trails.trail(place):
                    of_node[origin.place[0]].append((origin.place[1], condition))
                    self._said[origin.place].asked[condition] = None
            for above, conditions in of_node.items():
                self._scenarios[above][tuple(conditions)] = None

    def _describe(self, place: Place, column: Column) -> None:
        self._names[place[0]][place[1]] = None
        for origin in self.trails.trail(place):
            said = self._said[origin.place]
            said.profile = said.profile or column

    def _assert(self, fact: Fact) -> None:
        columns = tuple(each.lower() for each in fact.columns)
        trails = [self.trails.trail((fact.subject, name)) for name in columns]
        if fact.kind == "unique":
            self._be_unique(fact.subject, columns)
        elif fact.kind == "expression":
            self._express(fact)
        elif fact.kind == "points_at":
            self._point(fact, columns)
        if fact.kind == "not_null":
            for name in columns:
                for place in self.trails.needs((fact.subject, name)):
                    self._said[place].required = True
        for said in (self._said[origin.place] for trail in trails for origin in trail):
            if fact.kind == "accepted_values":
                both = tuple(each for each in said.accepted if each in fact.values)
                said.accepted = both or said.accepted or fact.values
            elif fact.kind == "range":
                said.minimum = said.minimum or fact.minimum
                said.maximum = said.maximum or fact.maximum

    def _be_unique(self, subject: str, columns: tuple[str, ...]) -> None:
        """The columns are unique here and above, and so is what one row of them is joined to."""
        pending, seen = [(subject, columns)], {(subject, columns)}
        while pending:
            for node, names in self.trails.together(*pending.pop()):
                self._unique[node][names] = None
                if len(names) > 1:
                    continue
                self._said[(node, names[0])].unique = True
                fresh = [k for k in self.trails.matched((node, names[0])) if k not in seen]
                seen.update(fresh)
                pending += fresh

    def _express(self, fact: Fact) -> None:
        """The expression over every node that holds all of its columns as they are."""
        try:
            read = language.columns_read(fact.expression, self._dialect)
            names = tuple(dict.fromkeys(name for _, name in read))
            lower = [each.lower() for each in names]
            for node, held in self.trails.together(fact.subject, lower, scaled=True):
                quoted = {
                    name: language.quote(own, self._dialect)
                    for name, own in zip(names, held, strict=True)
                }
                bare = language.unqualify(fact.expression, self._dialect)
                written = language.substitute(bare, self._dialect, quoted)
                self._expressions[node][written] = None
                if isinstance(language.parse_one(bare, self._dialect), language.exp.EQ):
                    # A sum of such rows does not hold where some parts are missing.
                    for own in held:
                        self._said[(node, own)].required = True
        except language.SqlError:
            # What cannot be read is not met here; the check on the finished table reports it.
            return

    def _point(self, fact: Fact, columns: tuple[str, ...]) -> None:
        wanted = tuple(each.lower() for each in fact.target_columns)
        if len(wanted) != len(columns):
            return
        targets = tuple(self.trails.together(fact.target, wanted))
        for node, names in self.trails.together(fact.subject, columns):
            self._pointers[node][Pointer(names, targets)] = None
            for name in names:
                self._said[(node, name)].pointed = True
        for own, to in zip(columns, wanted, strict=True):
            self._domains.join((fact.subject, own), (fact.target, to))
            self._alike.join((fact.subject, own), (fact.target, to))

    def _join(self, schema: ProjectSchema) -> None:
        ids = {table.name: table.unique_id for table in schema.tables}
        for edge in schema.joins:
            for own, to in zip(edge.columns, edge.to_columns, strict=True):
                one, other = (ids[edge.table], own.lower()), (ids[edge.to_table], to.lower())
                self._domains.join(one, other)

    def _guess_keys(self, models: set[str]) -> None:
        """An input of which no test says so still has a key: joins would multiply rows else."""
        for node in sorted(set(self._names) - models):
            if any(len(each) == 1 for each in self._unique[node]):
                continue
            names = {*self._names[node], *(each.name.lower() for each in self._columns_of(node))}
            found = next((each for each in _likely_keys(node) if each in names), "")
            if found:
                self._unique[node][(found,)] = None
                self._said[(node, found)].unique = True

    # --- answering -----------------------------------------------------------------------------

    def of(self, node: str) -> TableBounds:
        """What is demanded of ``node``'s rows; no columns where none are known."""
        if node not in self._tables:
            self._tables[node] = self._read(node)
        return self._tables[node]

    def _read(self, node: str) -> TableBounds:
        known = {each.name.lower(): each for each in self._columns_of(node)}
        names = dict.fromkeys((*known, *self._names[node]))
        columns = tuple(self._column(node, name, known.get(name)) for name in names if name)
        present = {each.name.lower() for each in columns}
        unique = tuple(each for each in self._unique[node] if set(each) <= present)
        pointers = tuple(each for each in self._pointers[node] if set(each.columns) <= present)
        scenarios = tuple(self._scenarios[node])
        return TableBounds(
            node,
            columns,
            min(max(self._rows(columns), 2 * len(scenarios)), MOST_ROWS),
            unique,
            pointers,
            tuple(self._expressions[node]),
            scenarios,
        )

    def _rows(self, columns: Sequence[ColumnBounds]) -> int:
        points = any(each.is_key and not each.unique for each in columns)
        return CHILD_ROWS if points else PARENT_ROWS

    def _column(self, node: str, name: str, known: Found | None) -> ColumnBounds:
        place = (node, name)
        said = self._said[place]
        domain = self._domains.of(place)
        members = self._members.get(domain, (place,))
        type_ = self._type(place, known, self._typed_alike.get(self._alike.of(place), (place,)))
        kind = kind_in_duckdb(type_)
        called = plausible.most_common([each[1] for each in members])
        unique = said.unique
        keyed = any(self._said[each].unique for each in members if each in self._said)
        keyed = keyed or any(is_key_name(each[1]) for each in members)
        profile = said.profile
        accepted = said.accepted or self._accepted(members)
        if said.decoded:
            # A value that is not decoded would come out as NULL.
            both = tuple(each for each in accepted if each in said.decoded)
            accepted = both or (said.decoded if said.required and not keyed else accepted)
        values = accepted or (profile.values if profile and not profile.personal else ())
        values = values or tuple(dict.fromkeys(said.examples))
        return ColumnBounds(
            name=known.name if known else name,
            type=type_,
            kind=kind,
            domain=domain,
            domain_name=called,
            is_key=keyed and kind in (Kind.NUMBER, Kind.TEXT) and not accepted,
            plain_key=self._has_numbers(members),
            unique=unique,
            is_main=unique and (name in _likely_keys(node) or not said.pointed),
            nullable=not said.required,
            values=values,
            closed=bool(accepted),
            minimum=said.minimum or (profile.minimum if profile else "") or "",
            maximum=said.maximum or (profile.maximum if profile else "") or "",
            null_share=profile.null_share if profile else None,
            asked=tuple(said.asked),
            paths=tuple(said.paths),
            format=said.format if kind is Kind.TEXT else "",
        )

    def _accepted(self, members: Iterable[Place]) -> tuple[str, ...]:
        """The values that a test names for another column of the same domain."""
        found = (self._said[each].accepted for each in members if each in self._said)
        return next((each for each in found if each), ())

    def _has_numbers(self, members: Iterable[Place]) -> bool:
        kinds = {
            kind_of(each) for place in members for each in self._said.get(place, _Said()).types
        }
        profiles = (self._said[each].profile for each in members if each in self._said)
        return Kind.NUMBER in kinds or any(p and p.kind is Kind.NUMBER for p in profiles)

    def _type(self, place: Place, known: Found | None, members: Sequence[Place]) -> str:
        """DuckDB's type: the known one, else what the SQL or the rest of the domain says."""
        if known is not None and known.type:
            return duck_type(known.type, self._dialect)
        said = self._said[place]
        if said.format:
            return "VARCHAR"
        own = type_from_usage(said.types, said.asked)
        if own:
            return own
        others = Counter(
            duck_type(found.type, self._dialect)
            for found in (self._said[m].profile for m in members if m in self._said)
            if found is not None and found.type
        )
        if others:
            return others.most_common(1)[0][0]
        votes = [
            type_from_usage(self._said[m].types, self._said[m].asked)
            for m in members
            if m in self._said
        ]
        return next((each for each in votes if each), "") or plausible.type_by_name(place[1])


def _likely_keys(node: str) -> tuple[str, ...]:
    """What the key of a table may be called, by the table's name at the end of a node's id."""
    name = node.rpartition(".")[2].lower()
    for prefix in ("raw_", "src_", "stg_", "base_"):
        name = name.removeprefix(prefix)
    singular = entity(name, "") or name
    return ("id", *(f"{stem}{end}" for stem in (singular, name) for end in ("_id", "_key", "id")))
