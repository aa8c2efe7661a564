"""Takes personal data out of what is kept of a question.

The rule is that of sampled values: what stands in columns marked as personal is not kept. Which
words those are the data itself says; where it cannot be asked, names are told by how they are
written. Addresses and numbers that belong to a person by their very form are never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from dbt_t2s import sql as language
from dbt_t2s.duck import Execute, QueryError
from dbt_t2s.judge.parsed import parsed
from dbt_t2s.project.schema import ProjectSchema, Table
from dbt_t2s.project.secrets import MASK
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.text import STOP_WORDS, Word, name_words, stem, words
from dbt_t2s.serve.log import Asked, Said
from dbt_t2s.sql import exp

_BY_FORM = re.compile(
    r"""
      [\w.+-]+@[\w-]+(?:\.[\w-]+)+                    # an address for mail
    | (?<![\w+])(?:\+|00)[1-9](?:[\s().-]?\d){7,13}\b # a telephone number with its country
    | \b\d{4}([\s-]?)\d{4}\1\d{4}\1\d{4}\b            # a card
    | \b[A-Z]{2}\d{2}(?:\s?[A-Z\d]{4}){3,7}(?:\s?[A-Z\d]{1,3})?\b  # an account (IBAN)
    """,
    re.VERBOSE,
)
_PART = re.compile(r"[^\W_]+")
# A longer text is a remark and not a name: its words are anybody's.
_LONGEST_NAME = 60
_MOST_WORDS = 5
_MOST_LOOKED = 20_000
# Years, amounts and the like are not told apart from personal numbers shorter than this.
_SHORTEST_NUMBER = 5


@dataclass(frozen=True)
class Masker:
    """Masks for one project.

    ``look`` runs a statement of ours on rows that are the project's own; None where none are.
    """

    schema: ProjectSchema
    look: Execute | None = None
    # The words looked for so far, and whether personal columns hold them.
    _looked: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def asked(self, entry: Asked) -> Asked:
        """The entry without personal data; without any words where they cannot be told."""
        hidden = self._hidden(entry.question, entry.sql_text)
        if hidden is None:
            return replace(entry, question=MASK, sql_text="", reason="")
        return replace(
            entry,
            question=_masked(entry.question, hidden),
            sql_text=_masked(entry.sql_text, hidden),
            reason=_masked(entry.reason, hidden),
        )

    def said(self, entry: Said) -> Said:
        """The same for what a person said."""
        texts = (entry.question, entry.note)
        hidden = self._hidden(" ".join(texts), entry.sql_text, entry.corrected_sql)
        if hidden is None:
            return replace(entry, question=MASK, sql_text="", corrected_sql="", note="")
        return replace(
            entry,
            question=_masked(entry.question, hidden),
            sql_text=_masked(entry.sql_text, hidden),
            corrected_sql=_masked(entry.corrected_sql, hidden),
            note=_masked(entry.note, hidden),
        )

    def _hidden(self, text: str, *statements: str) -> frozenset[str] | None:
        """The texts to mask, in lower case; None where that cannot be told."""
        tables = [table for table in self.schema.tables if any(c.personal for c in table.columns)]
        if not tables:
            return frozenset()
        names = {c.name.lower() for table in tables for c in table.columns if c.personal}
        literals = {
            each.lower()
            for sql in statements
            for each in _compared(sql, names, self.schema.dialect)
        }
        found = literals | self._dates(text, literals)
        spoken = [word for word in words(text) if _may_be_personal(word, self._known)]
        if self.look is None:
            return frozenset(found | {w.text.lower() for w in spoken if _looks_like_name(w, text)})
        held = self._held(self.look, tables, _parts(spoken))
        return None if held is None else frozenset(found | held)

    @cached_property
    def _known(self) -> frozenset[str]:
        return _known_stems(self.schema)

    def _held(self, look: Execute, tables: Sequence[Table], parts: set[str]) -> set[str] | None:
        """``_held`` of the words that were not looked for before: the rows do not change here."""
        met = self._looked
        if len(met) > _MOST_LOOKED:
            met.clear()
        new = parts - met.keys()
        held = _held(look, tables, new)
        if held is None:
            return None
        found = {part for part in parts - new if met.get(part, True)} | held
        met.update((part, part in held) for part in new)
        return found

    def _dates(self, text: str, literals: Iterable[str]) -> set[str]:
        """How the text names days that its SQL compares with personal ones."""
        days = {literal[:10] for literal in literals}
        today = date.fromisoformat(self.schema.as_of) if self.schema.as_of else date.today()
        spans = date_spans(text, today, self.schema.fiscal_year)
        return {each.text.lower() for each in spans if {each.range.start, each.range.end} & days}


def _masked(text: str, hidden: frozenset[str]) -> str:
    formed = _BY_FORM.sub(MASK, text)
    if not hidden:
        return formed
    longest_first = sorted(hidden, key=lambda each: (-len(each), each))
    pattern = "|".join(re.escape(each) for each in longest_first)
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", MASK, formed, flags=re.IGNORECASE)


def _compared(sql: str, names: set[str], dialect: str) -> Iterator[str]:
    """The texts that the statement compares with a column of one of these names."""
    if not sql:
        return
    try:
        tree = parsed(sql, dialect)
    except language.SqlError:
        return  # SQL that cannot be read was not run either, and its words are those of the text
    for node in tree.find_all(exp.Predicate):
        if any(column.name.lower() in names for column in node.find_all(exp.Column)):
            for literal in node.find_all(exp.Literal):
                text = literal.name.strip("%_ ")
                if len(text) >= (1 if literal.is_string else _SHORTEST_NUMBER):
                    yield text


def _known_stems(schema: ProjectSchema) -> frozenset[str]:
    """The words by which the schema itself is known: nobody's secret."""
    named: list[str] = []
    for table in schema.tables:
        named += [table.name, table.label, table.entity, *table.synonyms]
        for column in table.columns:
            named += [column.name, column.label, *column.synonyms, *column.values]
    for metric in schema.metrics:
        named += [metric.name, metric.label, *metric.synonyms]
    for rule in schema.rules:
        named += [rule.name, *rule.synonyms]
    return frozenset(stem(word) for name in named for word in name_words(name))


def _may_be_personal(word: Word, known: frozenset[str]) -> bool:
    text = word.text.lower()
    if text.isdigit():
        return len(text) >= _SHORTEST_NUMBER
    return len(text) > 1 and text not in STOP_WORDS and word.stem not in known


def _parts(spoken: Iterable[Word]) -> set[str]:
    """The words as values are taken apart: ``o'brien's`` is o, brien and s."""
    parts = {part for word in spoken for part in _PART.findall(word.text.lower())}
    return {part for part in parts if len(part) > 1}


def _looks_like_name(word: Word, text: str) -> bool:
    """A capital that begins no sentence, a figure, or a quotation mark before it."""
    before = text[: word.start].rstrip(" ")
    starts = not before or before[-1] in ".?!:"
    quoted = bool(before) and before[-1] in "'\"‘“„«"
    figures = any(letter.isdigit() for letter in word.text)
    return quoted or figures or (word.text[0].isupper() and not starts)


def _held(look: Execute, tables: Sequence[Table], spoken: set[str]) -> set[str] | None:
    """Those of the words that are values of the tables' personal columns, or words of such.

    None where that cannot be told, be it for want of time.
    """
    if not spoken:
        return set()
    columns = [
        f"select lower(cast({language.quote(column.name, 'duckdb')} as varchar)) as value"
        f" from {table.relation}"
        for table in tables
        for column in table.columns
        if column.personal
    ]
    found: set[str] = set()
    together = look(_search(columns, sorted(spoken)))
    # Where all are too much for one statement, each column has the time that all had.
    results = [together]
    if isinstance(together, QueryError) and len(columns) > 1:
        results = [look(_search([column], sorted(spoken))) for column in columns]
    for result in results:
        if isinstance(result, QueryError):
            return None
        found |= {str(row[0]) for row in result.rows}
    return found


def _search(columns: Sequence[str], given: Sequence[str]) -> str:
    """The statement that looks for the words in what the statements ``columns`` give."""
    asked = ", ".join(_literal(each) for each in given)
    met = " or ".join(f"contains(value, {_literal(each)})" for each in given)
    values = " union all ".join(columns)
    return (
        f"with v as ({values}),"
        f" w as (select string_split_regex(value, '[^\\p{{L}}\\p{{N}}]+') as parts from v"
        f" where length(value) <= {_LONGEST_NAME} and ({met})),"
        f" p as (select unnest(parts) as part from w where len(parts) <= {_MOST_WORDS})"
        f" select distinct part from p where part in ({asked})"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
