"""The corpus: drafts drawn shape by shape, proven by running them, split and counted."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from random import Random

from dbt_t2s import sql as sql_door
from dbt_t2s.corpus.conditions import Conditions
from dbt_t2s.corpus.examples import Corpus, Counted, Coverage, Example
from dbt_t2s.corpus.measure_shapes import MeasureShapes
from dbt_t2s.corpus.patterns import Pattern
from dbt_t2s.corpus.refusals import Refusals
from dbt_t2s.corpus.row_shapes import RowShapes
from dbt_t2s.corpus.shapes import Draft, Shape
from dbt_t2s.corpus.vocabulary import Vocabulary
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.errors import CorpusError, QueryPlanError
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import REFUSAL, to_tokens
from dbt_t2s.query.link import ValueIndex, mentions
from dbt_t2s.query.plan import MEASURES, Plan, canonical

Progress = Callable[[str, int, int], None]
_REFUSED = 0.12
_MOST_REFUSED = 0.25  # of all examples, where a project has little to ask about
_DEV, _TEST = 4, 8  # per cent of plans: dev below the first, test below the second
_BARREN = 60  # drafts in a row without an example before generation stops


def generate(
    schema: ProjectSchema,
    patterns: tuple[Pattern, ...],
    execute: Execute,
    *,
    as_of: str = "",
    seed: int = 0,
    max_examples: int = 12_000,
    progress: Progress | None = None,
) -> Corpus:
    """The training corpus of one project; CorpusError where nothing can be made of it."""
    today = date.fromisoformat(as_of or schema.as_of) if as_of or schema.as_of else date.today()
    maker = _Maker(schema, patterns, execute, today, seed)
    found: list[Example] = []
    barren = answered = 0
    while schema.tables and len(found) < max_examples and barren < _BARREN * 20:
        # Refusals never run out: they may not outnumber what they are to be told from, and a
        # warehouse where nothing runs ends the loop.
        example = maker.next(refusing=len(found) - answered < 2 + _MOST_REFUSED * len(found))
        if example is None:
            barren += 1
            continue
        if example.sql:
            barren = 0
            answered += 1
        found.append(example)
        if progress and len(found) % 50 == 0:
            progress("generate", len(found), max_examples)
    if not answered:
        raise CorpusError(
            "no training question could be made from this project",
            where=f"{len(schema.tables)} queryable tables",
            hint="dbt build, then dbt-t2s distill --format text to see what was read",
        )
    examples = tuple(found)
    return Corpus(examples, coverage(examples, schema, maker.rejected))


class _Maker:
    """Draws one example at a time; the same seed gives the same sequence."""

    def __init__(
        self,
        schema: ProjectSchema,
        patterns: tuple[Pattern, ...],
        execute: Execute,
        today: date,
        seed: int,
    ) -> None:
        self._rng = Random(f"{schema.project} {seed}")
        self._schema = schema
        self._execute = execute
        self._today = today
        self._words = Vocabulary(schema)
        conditions = Conditions(self._words, today)
        self._values = ValueIndex(schema)
        self._refusals = Refusals(self._words, conditions)
        self._refusals.prepare()
        shapes = (
            *MeasureShapes(self._words, conditions).shapes(),
            *RowShapes(self._words, conditions).shapes(),
        )
        favoured = _favoured(patterns)
        self._shapes: list[tuple[int, Shape]] = [(phase, shape) for _, phase, shape in shapes]
        self._weights = [w * favoured.get(_name(shape), 1.0) for w, _, shape in shapes]
        self._asked: set[str] = set()
        self._proven: dict[str, bool] = {}
        self.rejected: Counter[str] = Counter()

    def next(self, refusing: bool) -> Example | None:
        """An example, or None; a refusal only where ``refusing``."""
        rng = self._rng
        if refusing and rng.random() < _REFUSED:
            return self._refusal(rng)
        phase, shape = rng.choices(self._shapes, self._weights)[0]
        draft = shape(rng)
        if draft is None or draft.plan is None:
            return None
        plan = canonical(draft.plan)
        tokens = to_tokens(plan)
        try:
            sql = self._words.binder.sql(plan)
        except QueryPlanError as error:
            self.rejected[f"{_name(shape)}: {str(error).split(' ', 1)[0]}…"] += 1
            return None
        normal = _normal(draft.text)
        if normal in self._asked or len(normal.split()) < 2:
            return None
        if not self._linkable(draft.text, tokens):
            self.rejected[f"{_name(shape)}: a mention is not found"] += 1
            return None
        if not self._proves(sql, plan):
            self.rejected[f"{_name(shape)}: fails or is empty"] += 1
            return None
        self._asked.add(normal)
        if self._schema.dialect != "duckdb":
            sql = sql_door.transpile(sql, "duckdb", self._schema.dialect)
        return _example(draft, tokens, sql, phase, _name(shape))

    def _refusal(self, rng: Random) -> Example | None:
        draft = self._refusals.draw(rng)
        normal = _normal(draft.text)
        if normal in self._asked:
            return None
        self._asked.add(normal)
        return _example(draft, REFUSAL, "", 3, "refusal")

    def _linkable(self, text: str, tokens: Iterable[str]) -> bool:
        """Whether every value, date and number of the plan is found in the question."""
        needed = {t for t in tokens if t[:2] in ("v:", "d:", "n:", "s:")}
        if not needed:
            return True
        return needed <= {m.token for m in mentions(text, self._values, self._today)}

    def _proves(self, sql: str, plan: Plan) -> bool:
        """Whether the SQL runs and says something: rows, and not only NULL."""
        if sql not in self._proven:
            result = self._execute(sql)
            told = not isinstance(result, QueryError) and bool(result.rows)
            if told and not isinstance(result, QueryError):
                told = any(value is not None for row in result.rows for value in row)
                counted = len(plan.select) == 1 and isinstance(plan.select[0], MEASURES)
                told = told and (not counted or result.rows[0][0] is not None)
            self._proven[sql] = told
        return self._proven[sql]


def _name(shape: Shape) -> str:
    return str(getattr(shape, "__name__", "shape"))


def _favoured(patterns: tuple[Pattern, ...]) -> dict[str, float]:
    """How much more often the shapes come that the project's own queries take."""
    windows = sum(p.support for p in patterns if " over (" in p.skeleton.lower())
    limits = sum(p.support for p in patterns if " limit " in p.skeleton.lower())
    total = sum(p.support for p in patterns) or 1
    return {
        "top_per_group": 1 + min(windows / total * 4, 1),
        "running": 1 + min(windows / total * 4, 1),
        "change": 1 + min(windows / total * 4, 1),
        "top": 1 + min(limits / total * 2, 0.5),
        "extreme": 1 + min(limits / total * 2, 0.5),
    }


def _normal(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _example(draft: Draft, tokens: tuple[str, ...], sql: str, phase: int, template: str) -> Example:
    plan = json.dumps(tokens, ensure_ascii=False)
    identity = hashlib.sha256(f"{draft.text}\n{plan}".encode()).hexdigest()[:16]
    bucket = (
        int(hashlib.sha256((plan if draft.plan else draft.text).encode()).hexdigest(), 16) % 100
    )
    split = "dev" if bucket < _DEV else "test" if bucket < _TEST else "train"
    skeleton = " ".join(t[:1] if t[1:2] == ":" else t for t in tokens)
    return Example(identity, split, phase, draft.type, draft.text, sql, plan, template, skeleton)


def coverage(
    examples: tuple[Example, ...], schema: ProjectSchema, rejected: Counter[str]
) -> Coverage:
    """Counts over the corpus; things of the schema that nothing asks about count 0."""
    tokens: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        for token in set(json.loads(example.plan)):
            if token[:2] == "v:":
                token = "c:" + token[2:].partition("=")[0]
            tokens[token].append(example)
    columns = [f"c:{t.name}.{c.name}" for t in schema.tables for c in t.columns]

    def counted(thing: str, found: list[Example]) -> Counted:
        return Counted(thing, len(found), len({e.question for e in found}))

    def group(key: Callable[[Example], str]) -> tuple[Counted, ...]:
        groups: dict[str, list[Example]] = defaultdict(list)
        for example in examples:
            groups[key(example)].append(example)
        return tuple(counted(k, groups[k]) for k in sorted(groups))

    def things(names: Iterable[str]) -> tuple[Counted, ...]:
        return tuple(counted(n[2:], list({e.id: e for e in tokens[n]}.values())) for n in names)

    tables: dict[str, list[Example]] = defaultdict(list)
    for token, found in tokens.items():
        if token[:2] in ("c:", "t:"):
            tables["t:" + token[2:].partition(".")[0]].extend(found)
    for name, found in tables.items():
        tokens[name] = found
    return Coverage(
        examples=len(examples),
        by_phase=group(lambda e: str(e.phase)),
        by_type=group(lambda e: e.type),
        tables=things(f"t:{t.name}" for t in schema.tables),
        columns=things(columns),
        metrics=things(f"m:{m.name}" for m in schema.metrics),
        rules=things(f"r:{r.name}" for r in schema.askable_rules),
        templates=group(lambda e: e.template),
        rejected=tuple(Counted(k, n, 0) for k, n in sorted(rejected.items())),
    )
