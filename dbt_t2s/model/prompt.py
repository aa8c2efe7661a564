"""The one prompt: what a language model reads before it writes SQL, and how its answer is read.

Training and asking build their text here and nowhere else: a string that differs between the two
is a silent loss of accuracy. Only the standard library is used, so that this file can be copied to
a bare GPU machine together with the training code.
"""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dbt_t2s.project.schema import Column, Metric, ProjectSchema, Role, Rule, Table

DEFAULT_BUDGET = 4000
REFUSE = "REFUSE:"
UNKNOWN_MISSING = "the data does not hold what the question asks for"

_INSTRUCTION = (
    "Write one SQL query that answers the question from the tables below. "
    "Use only these tables, columns, joins and metrics. Answer with the SQL alone. "
    f"If the tables do not hold what is asked for, answer `{REFUSE} ` and name what is missing."
)
_MEND = "An earlier answer was wrong:\n{sql}\nWhat came of it: {message}\nAnswer again, rightly."
_READ = (
    "Read the SQL query below over these tables. Answer with the question that it answers alone."
)
_PLAIN_CUE = "\n\nAnswer:\n"

_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+", re.UNICODE)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_FENCE = re.compile(r"```[ \t]*\w*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_BACKTICK_DIALECTS = frozenset({"bigquery", "databricks", "spark", "mysql"})
_STOP_LIST = (
    "a an and are as at be been by did do does for from had has have how i in into is it its list "
    "many me much my of on or our per show than that the their them there these they this to us "
    "was we were what when where which who whose will with you your"
)
_STOP_WORDS = frozenset(_STOP_LIST.split())
# How much a word found here says about what the question needs.
_NAME_WEIGHT, _VALUE_WEIGHT, _PROSE_WEIGHT = 2.0, 1.5, 0.5
_ANCHORS = 5
_MAX_EXTRAS = 6
_EXTRAS_SHARE = 0.25
_SMALLEST_TABLE = 90
_MAX_OTHERS = 30
_VALUES_SHOWN = 8
_DESCRIPTION_CHARS = 90
_STRUCTURAL = frozenset({Role.KEY, Role.FOREIGN_KEY, Role.TIME})


@dataclass(frozen=True)
class Answer:
    """A model's answer: SQL, or what it says is missing; exactly one is not empty."""

    sql: str
    refusal: str = ""


@dataclass(frozen=True)
class Wrong:
    """An answer that was wrong, and what running it gave: an error, or how the result differs."""

    sql: str
    message: str


def build_prompt(
    question: str, schema_lines: Sequence[str], wrong: Wrong | None = None
) -> tuple[dict[str, str], ...]:
    """The chat that asks for SQL; with ``wrong``, for better SQL than that.

    One user turn: several model families' chat templates reject a system turn.
    """
    schema_text = "\n".join(schema_lines)
    content = f"{_INSTRUCTION}\n\n{schema_text}\n\nQuestion: {_one_line(question)}"
    if wrong is not None:
        told = _MEND.format(sql=wrong.sql.strip(), message=_one_line(wrong.message))
        content = f"{content}\n\n{told}"
    return ({"role": "user", "content": content},)


def build_reading(sql: str, schema_lines: Sequence[str]) -> tuple[dict[str, str], ...]:
    """The chat that asks what a query asks; used in training alone."""
    schema_text = "\n".join(schema_lines)
    return ({"role": "user", "content": f"{_READ}\n\n{schema_text}\n\nSQL:\n{sql.strip()}"},)


def plain_prompt(messages: Sequence[Mapping[str, str]]) -> str:
    """The same chat for a tokenizer without a chat template."""
    return "\n\n".join(message["content"] for message in messages) + _PLAIN_CUE


def answer_text(sql: str, missing: str = "") -> str:
    """What the model is taught to write: the SQL, or the refusal when there is none."""
    if sql.strip():
        return sql.strip().removesuffix(";").rstrip()
    return f"{REFUSE} {_one_line(missing) or UNKNOWN_MISSING}"


def parse_answer(text: str) -> Answer:
    """The answer in a model's text, with Markdown fences and a closing semicolon taken off."""
    fenced = _FENCE.search(text)
    body = (fenced.group(1) if fenced else text).strip().removesuffix(";").rstrip()
    if body.startswith(REFUSE):
        return Answer("", _one_line(body.removeprefix(REFUSE)) or UNKNOWN_MISSING)
    if not body:
        return Answer("", "the model gave no answer")
    return Answer(body)


def schema_slice(
    schema: ProjectSchema, question: str, budget: int = DEFAULT_BUDGET
) -> tuple[str, ...]:
    """The lines of ``schema`` that ``question`` needs, within ``budget`` characters.

    For many questions over one schema keep a ``SchemaReader``: it indexes the words once.
    """
    return SchemaReader(schema).slice(question, budget)


class SchemaReader:
    """One schema's words, indexed, so that slices for thousands of questions are cheap."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._schema = schema
        self._tables = {table.name: table for table in schema.tables}
        self._table_words = {table.name: _table_words(table) for table in schema.tables}
        self._metric_words = {metric.name: _metric_words(metric) for metric in schema.metrics}
        self._rules = schema.askable_rules
        self._rule_words = [_rule_words(rule) for rule in self._rules]
        self._neighbours = _neighbours(schema)
        self._lines: dict[str, str] = {}
        spread = Counter(word for words in self._table_words.values() for word in words)
        count = max(len(schema.tables), 1)
        self._rarity = {word: math.log1p(count / seen) for word, seen in spread.items()}
        self._default_rarity = math.log1p(count)

    def slice(self, question: str, budget: int = DEFAULT_BUDGET) -> tuple[str, ...]:
        """Tables by word overlap with the joins between them, and the metrics and rules that fit.

        What is kept is chosen by relevance and printed in the schema's order, so that two questions
        about the same tables see the same text.
        """
        words = frozenset(_words(question))
        metrics = self._matching_metrics(words)
        rules = self._matching_rules(words)
        needed, others = self._table_order(words, metrics, rules)
        # A rule that always holds comes with its table, asked for or not.
        always = [rule for rule in self._rules if rule.always and rule.table in needed]
        told = [*always, *(rule for rule in rules if rule not in always)]
        header = self._header()
        extras = _fitting(
            [*map(_rule_line, always), *map(self._metric_line, metrics), *map(_rule_line, told)],
            int(budget * _EXTRAS_SHARE),
        )
        room = budget - _size((header, *extras))
        blocks = self._fill(needed, others, words, room)
        tables = [blocks[table.name] for table in self._schema.tables if table.name in blocks]
        return (header, *tables, *self._join_lines(frozenset(blocks)), *extras)

    def _header(self) -> str:
        today = f", today is {self._schema.as_of}" if self._schema.as_of else ""
        fiscal = f", {self._schema.fiscal_year.sentence}" if self._schema.fiscal_year else ""
        return f"dialect {self._schema.dialect}{today}{fiscal}"

    def _score(self, words: frozenset[str], weights: Mapping[str, float]) -> float:
        # Sorted: a sum of floats must not depend on the order in which a set is walked.
        return sum(
            weights[word] * self._rarity.get(word, self._default_rarity)
            for word in sorted(words)
            if word in weights
        )

    def _matching_metrics(self, words: frozenset[str]) -> list[Metric]:
        scored = [(self._score(words, self._metric_words[m.name]), m) for m in self._schema.metrics]
        scored.sort(key=lambda pair: (-pair[0], pair[1].name))
        return [metric for score, metric in scored if score > 0]

    def _matching_rules(self, words: frozenset[str]) -> list[Rule]:
        pairs = zip(self._rule_words, self._rules, strict=True)
        scored = [(self._score(words, weights), rule) for weights, rule in pairs]
        scored.sort(key=lambda pair: (-pair[0], pair[1].name))
        return [rule for score, rule in scored if score > 0]

    def _table_order(
        self, words: frozenset[str], metrics: Sequence[Metric], rules: Sequence[Rule]
    ) -> tuple[list[str], list[str]]:
        """(the best matches with the tables that bridge them, all others), most useful first."""
        scores = {name: self._score(words, w) for name, w in self._table_words.items()}
        for metric in metrics[:3]:
            for name in metric.tables:
                if name in scores:
                    scores[name] += self._score(words, self._metric_words[metric.name])
        for rule in rules[:3]:
            if rule.table in scores:
                scores[rule.table] += 1.0
        ranked = sorted(scores, key=lambda name: (-scores[name], name))
        anchors = [name for name in ranked[:_ANCHORS] if scores[name] > 0]
        needed: list[str] = []
        for name in anchors:
            bridge = self._path(anchors[0], name) if name != anchors[0] else ()
            needed.extend(step for step in (name, *bridge) if step not in needed)
        return needed, [name for name in ranked if name not in needed]

    def _path(self, start: str, goal: str) -> tuple[str, ...]:
        """The tables strictly between two tables on the shortest chain of joins (none if apart)."""
        came_from: dict[str, str] = {start: start}
        queue = deque([start])
        while queue and goal not in came_from:
            here = queue.popleft()
            for there in self._neighbours.get(here, ()):
                if there not in came_from:
                    came_from[there] = here
                    queue.append(there)
        if goal not in came_from:
            return ()
        steps: list[str] = []
        step = came_from[goal]
        while step != start:
            steps.append(step)
            step = came_from[step]
        return tuple(steps)

    def _fill(
        self, needed: Sequence[str], others: Sequence[str], words: frozenset[str], room: int
    ) -> dict[str, str]:
        """Table lines: those that are needed share the room, the small ones whole and the wide ones
        cut; the others come whole while they fit."""
        first = list(needed or others[:1])
        while len(first) > 1 and self._left(first, room) < _SMALLEST_TABLE * len(first):
            first.pop()
        left = self._left(first, room)
        blocks: dict[str, str] = {}
        sizes = {name: len(self._whole(name)) for name in first}
        for done, name in enumerate(sorted(first, key=lambda name: (sizes[name], name))):
            share = left // (len(first) - done) - 1
            line = self._table_line(self._tables[name], words, share)
            blocks[name] = line
            left -= len(line) + 1
        dropped = [name for name in needed if name not in blocks]
        for name in [*dropped, *others[:_MAX_OTHERS]]:
            if name in blocks:
                continue
            tried = {**blocks, name: self._whole(name)}
            if _size((*tried.values(), *self._join_lines(frozenset(tried)))) <= room:
                blocks = tried
        return blocks

    def _whole(self, name: str) -> str:
        """A table's line with every column; made once, as thousands of questions want it."""
        if name not in self._lines:
            self._lines[name] = self._table_line(self._tables[name], frozenset(), None)
        return self._lines[name]

    def _left(self, names: Sequence[str], room: int) -> int:
        """What of ``room`` the joins between these tables leave for the tables themselves."""
        return room - _size(self._join_lines(frozenset(names)))

    def _table_line(self, table: Table, words: frozenset[str], room: int | None) -> str:
        """``table relation [name]: what it is (columns)``, with the less useful columns left out
        when the room (none: all there is) is short."""
        named = "" if table.relation.split(".")[-1] == table.name else f" [{table.name}]"
        about = _prose(table.description) or (f"one row per {table.entity}" if table.entity else "")
        head = f"table {table.relation}{named}{': ' + about if about else ''}"
        texts = [self._column_text(table, column) for column in table.columns]
        whole = f"{head} ({', '.join(texts)})"
        if room is None or len(whole) <= room:
            return whole
        ranks = sorted(
            range(len(texts)), key=lambda i: (-self._column_use(table.columns[i], words), i)
        )
        kept: set[int] = set()
        used = len(head) + len(" (, 999 columns more)")
        for i in ranks:
            if used + len(texts[i]) + 2 <= room or not kept:
                kept.add(i)
                used += len(texts[i]) + 2
        shown = ", ".join(texts[i] for i in sorted(kept))
        return f"{head} ({shown}, {len(texts) - len(kept)} columns more)"

    def _column_use(self, column: Column, words: frozenset[str]) -> float:
        structural = 1.5 if column.role in _STRUCTURAL else 0.0
        return self._score(words, _column_words(column)) + structural

    def _column_text(self, table: Table, column: Column) -> str:
        parts = [self._name(column.name), column.type.lower() or column.kind.value]
        if column.name in table.primary_key:
            parts.append("key")
        if column.values and not column.personal:
            values = column.values[:_VALUES_SHOWN]
            shown = " ".join(f"'{_one_line(value)[:40]}'" for value in values)
            more = len(column.values) > _VALUES_SHOWN or not column.values_complete
            parts.append(f"{shown} ..." if more else shown)
        note = _prose(column.description)
        if note and not set(_words(note)) <= set(_words(column.name)):
            parts.append(f"-- {note}")
        return " ".join(parts)

    def _name(self, name: str) -> str:
        if _PLAIN_NAME.match(name):
            return name
        mark = "`" if self._schema.dialect in _BACKTICK_DIALECTS else '"'
        return mark + name.replace(mark, mark * 2) + mark

    def _join_lines(self, shown: frozenset[str]) -> list[str]:
        lines: list[str] = []
        for join in self._schema.joins:
            if join.table not in shown or join.to_table not in shown:
                continue
            left, right = self._tables[join.table].relation, self._tables[join.to_table].relation
            pairs = zip(join.columns, join.to_columns, strict=True)
            on = " and ".join(f"{left}.{self._name(a)} = {right}.{self._name(b)}" for a, b in pairs)
            lines.append(f"join {on}")
        return list(dict.fromkeys(lines))

    def _metric_line(self, metric: Metric) -> str:
        about = _prose(metric.description)
        return f"metric {metric.name} = {_definition(metric)}{' -- ' + about if about else ''}"


def _definition(metric: Metric) -> str:
    """A metric in one line of SQL-like text; MetricFlow's own SQL where nothing shorter is true."""
    where = " and ".join(part.predicate for part in metric.filters)
    tail = f" where {_one_line(where)}" if where else ""
    if metric.measure:
        measure = metric.measure
        time = f" by {measure.time_column}" if measure.time_column else ""
        return f"{measure.aggregation}({measure.expression}) over {measure.table}{time}{tail}"
    if metric.expression:
        inputs = ", ".join(f"{item.alias} is {item.metric}" for item in metric.inputs)
        return f"{_one_line(metric.expression)} with {inputs}{tail}"
    if metric.compiled:
        return _one_line(min(metric.compiled, key=lambda item: len(item.sql)).sql)
    return f"{metric.type} metric{tail}"


def _rule_line(rule: Rule) -> str:
    kind = "always rule" if rule.always else "rule"
    what = f"{rule.table} where {_one_line(rule.predicate)}"
    return f"{kind} {_one_line(rule.name)}: {what} -- {_prose(rule.sentence)}"


def _size(lines: Iterable[str]) -> int:
    """Characters of the lines with their line ends."""
    return sum(len(line) + 1 for line in lines)


def _fitting(lines: Iterable[str], room: int) -> list[str]:
    """The first lines, without repeats, that fit."""
    kept: list[str] = []
    for line in dict.fromkeys(lines):
        if len(kept) < _MAX_EXTRAS and _size((*kept, line)) <= room:
            kept.append(line)
    return kept


def _neighbours(schema: ProjectSchema) -> dict[str, tuple[str, ...]]:
    edges: dict[str, set[str]] = {}
    for join in schema.joins:
        edges.setdefault(join.table, set()).add(join.to_table)
        edges.setdefault(join.to_table, set()).add(join.table)
    return {name: tuple(sorted(others)) for name, others in edges.items()}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _prose(text: str) -> str:
    """A description's first sentence, short: docs are written for people and run to pages."""
    line = _one_line(text)
    first = re.split(r"(?<=[.!?])\s", line, maxsplit=1)[0].rstrip(".")
    return first if len(first) <= _DESCRIPTION_CHARS else first[: _DESCRIPTION_CHARS - 3] + "..."


def _words(text: str) -> list[str]:
    """The telling words of a text or an identifier (snake_case and camelCase come apart)."""
    found = (match.group().lower() for match in _WORD.finditer(text))
    return [_stem(word) for word in found if word not in _STOP_WORDS]


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _weigh(*sources: tuple[float, Iterable[str]]) -> dict[str, float]:
    """word → the most that any source in which it occurs gives it."""
    weights: dict[str, float] = {}
    for weight, texts in sources:
        for text in texts:
            for word in _words(text):
                weights[word] = max(weights.get(word, 0.0), weight)
    return weights


def _column_words(column: Column) -> dict[str, float]:
    return _weigh(
        (_NAME_WEIGHT, (column.name, column.label, *column.synonyms)),
        (_VALUE_WEIGHT, column.values),
        (_PROSE_WEIGHT, (column.description,)),
    )


def _table_words(table: Table) -> dict[str, float]:
    own = _weigh(
        (_NAME_WEIGHT * 1.5, (table.name, table.label, table.entity, *table.synonyms)),
        (_PROSE_WEIGHT, (table.description,)),
    )
    for column in table.columns:
        for word, weight in _column_words(column).items():
            own[word] = max(own.get(word, 0.0), weight)
    return own


def _metric_words(metric: Metric) -> dict[str, float]:
    return _weigh(
        (_NAME_WEIGHT, (metric.name, metric.label, *metric.synonyms)),
        (_PROSE_WEIGHT, (metric.description,)),
    )


def _rule_words(rule: Rule) -> dict[str, float]:
    return _weigh((_NAME_WEIGHT, (rule.name, *rule.synonyms)), (_PROSE_WEIGHT, (rule.sentence,)))
