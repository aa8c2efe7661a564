"""What a question mentions: known values, numbers, dates and quoted text, found by code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from rapidfuzz import fuzz, process

from dbt_t2s.project.copies import copies
from dbt_t2s.project.schema import Kind, ProjectSchema
from dbt_t2s.query.codes import Codes
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.lexicon import DEMONYMS, code_names
from dbt_t2s.query.numbers import number_spans
from dbt_t2s.query.text import STOP_WORDS, Word, name_words, stem, words

# Text to search for is often said without quotation marks: "titles containing Moon".
_SOUGHT = re.compile(
    r"\b(?:contain(?:s|ing)?|include[sd]?|including|called|named|titled|"
    r"(?:start|begin|end)(?:s|ing)?\s+(?:with|in))\s+"
    r"(?:(?:the|a)\s+)?(?:(?:word|letters?|string|substring|text|phrase|name)\s+)?"
    r"([A-Za-z0-9][\w.&-]*(?:\s+[A-Z][\w.&-]*){0,3})"
)
_NAME = re.compile(r"(?<![.?!]\s)(?<!^)\b[A-Z][\w&-]+(?:\s+[A-Z][\w&-]+){1,3}")
_QUOTED = re.compile(r"[\"“”]([^\"“”]{1,60})[\"“”]|(?<!\w)'([^']{1,60})'(?!\w)")
# In capitals no ends of "it's", "don't", "I'm" and "I'd", but sizes and classes.
_CUT_OFF = frozenset("STMD")
# Between a column's name and a value that is any question's word, and what may follow that.
_TELLS = re.compile(r"\s+(?:(?:is|are|was|were)\s+)?|\s?[:=]\s?", re.I)
_MARKED = frozenset(("marked", "flagged"))
# How an answer is to be written, and what its numbers mean, limits nothing.
_IN_UNITS = re.compile(
    r"(?:[,;:(–—-]|\b(?:amounts?|volumes?|values?|worth|totals?|sums?|figures?|turnover|revenues?|"
    r"sales|costs?|prices?|spend|money))\s*\bin\s+$",
    re.I,
)
_SCALE = re.compile(
    r"\bscale\s+(?:of|from)\s+\d\s*(?:-|–|to)\s*\d+\b|"
    r"\b[01]\s*(?:-|–|to)\s*\d+\s+(?:score|scale|rating)s?\b",
    re.I,
)
_ENDS = re.compile(r"\s*(?:$|[?.!,;:)])")
_LONGEST_VALUE = 6
_MOST_VALUES = 16
_FUZZY_FROM = 5
_FUZZY_SCORE = 86.0
_SHORTEST_PART = 3
_LESS_LIKELY = 0.5
_NOUGHT_QUALITY = 0.3
# "nothing sold", "without any reminder": what a number may be compared with, though none is said.
_NOUGHT = frozenset(("no", "without", "free", "none", "nothing", "nobody"))
_FILLERS = frozenset(("yn", "flag", "ind", "is", "has", "on"))
_YES_NO = frozenset(("y", "n", "yes", "no", "t", "f", "true", "false", "0", "1"))


@dataclass(frozen=True)
class Mention:
    """An item the question itself brings: ``token`` as in ``linear``, over words first..last.

    ``quality`` is 1 for an exact match and less for stems, abbreviations and typos.
    """

    token: str
    first: int
    last: int
    quality: float


class ValueIndex:
    """The project's known values, found by exact words, stems, known names and near spelling."""

    def __init__(self, schema: ProjectSchema) -> None:
        self._exact: dict[tuple[str, ...], list[str]] = defaultdict(list)
        self._stems: dict[tuple[str, ...], list[str]] = defaultdict(list)
        self._initials: dict[str, list[str]] = defaultdict(list)
        self._parts: dict[tuple[str, ...], list[str]] = defaultdict(list)
        self._copies = copies(schema)
        self._codes = Codes(schema)
        self.fiscal_year = schema.fiscal_year
        self._flags: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for table in schema.tables:
            for column in table.columns:
                if column.kind not in (Kind.TEXT, Kind.OTHER):
                    continue
                of = f"v:{table.name}.{column.name}="
                for value in column.values:
                    self._add(of + value, value)
                if column.values and {v.lower() for v in column.values} <= _YES_NO:
                    # "with wifi": a column that says yes or no is meant by its name.
                    name = tuple(stem(w) for w in name_words(column.name) if w not in _FILLERS)
                    self._flags[name].extend(of + value for value in column.values)
                for part, value in _telling_parts(column.values).items():
                    self._parts[part].append(of + value)
        self._spellings = [" ".join(k) for k in self._exact if len("".join(k)) >= _FUZZY_FROM]

    def _add(self, token: str, value: str) -> None:
        parts = tuple(name_words(value))
        if not parts or len(parts) > _LONGEST_VALUE:
            return
        self._exact[parts].append(token)
        whole = tuple(name_words(value.lower()))  # iOS is one word as it is typed
        if whole != parts:
            self._exact[whole].append(token)
        self._stems[tuple(stem(p) for p in parts)].append(token)
        for name in code_names(value, token):
            self._exact[tuple(name_words(name))].append(token)
        if len(parts) > 1:
            self._initials["".join(p[0] for p in parts)].append(token)

    def mentions(self, spoken: tuple[Word, ...], text: str) -> list[Mention]:
        lowered = [w.text.lower() for w in spoken]
        found: list[Mention] = []
        shouted = text.isupper()
        for first in range(len(spoken)):
            for last in range(first, min(first + _LONGEST_VALUE, len(spoken))):
                found.extend(self._at(tuple(lowered[first : last + 1]), first, last))
            if spoken[first].text in _CUT_OFF:
                tokens = self._exact.get((lowered[first],), ())
                found.extend(Mention(token, first, first, 1.0) for token in tokens)
            elif not shouted and _is_abbreviation(spoken[first].text):
                found.extend(self._abbreviated(lowered[first], first))
        found.extend(self._beside_columns(spoken, text))
        found.extend(self._coded(spoken, text))
        best: dict[str, Mention] = {}
        for mention in self._told_once(found):
            known = best.get(mention.token)
            if known is None or _weight(mention) > _weight(known):
                best[mention.token] = mention
        return _longest(list(best.values()))[:_MOST_VALUES]

    def _told_once(self, found: list[Mention]) -> list[Mention]:
        """Without the values of wide marts that a table of their own has too."""
        if not self._copies:
            return found
        own = [_table_of(m) not in self._copies for m in found]
        told = {(m.first, m.last) for m, is_own in zip(found, own, strict=True) if is_own}
        return [
            m
            for m, is_own in zip(found, own, strict=True)
            if is_own or (m.first, m.last) not in told
        ]

    def _at(self, parts: tuple[str, ...], first: int, last: int) -> list[Mention]:
        split = tuple(p for part in parts for p in name_words(part))
        tokens = self._exact.get(split)
        if all(p in STOP_WORDS for p in split):
            # "No show" is a value where it is said as one.
            said = tokens if tokens and len(split) > 1 else ()
            return [Mention(t, first, last, 1.0) for t in said]
        if tokens:
            # "UK" may be a region's name and a country's initials.
            return [Mention(t, first, last, 1.0) for t in tokens] + self._short(parts, first, last)
        if parts[-1].endswith(("'s", "’s")) and (tokens := self._exact.get(split[:-1])):
            return [Mention(t, first, last, 1.0) for t in tokens]  # "Milan's revenue"
        stemmed = tuple(stem(p) for p in split)
        if tokens := self._stems.get(stemmed):
            return [Mention(t, first, last, 0.8) for t in tokens]
        if tokens := self._flags.get(stemmed):
            return [Mention(t, first, last, 0.4) for t in tokens]
        if short := self._short(parts, first, last):
            return short
        if tokens := self._parts.get(split):
            return [Mention(t, first, last, 0.5) for t in tokens]
        return self._near(" ".join(split), first, last)

    def _beside_columns(self, spoken: Sequence[Word], text: str) -> Iterator[Mention]:
        """Values that are words of any question, told by their column: "result: over"."""
        for at, word in enumerate(spoken):
            said = word.text.lower()
            if at == 0 or said not in STOP_WORDS or not _ENDS.match(text, word.end):
                continue
            before = spoken[at - 1]
            if at > 1 and before.text.lower() in ("is", "are", "was", "were"):
                before = spoken[at - 2]
            if not _TELLS.fullmatch(text, before.end, word.start):
                continue
            for token in self._exact.get((said,), ()):
                column = name_words(token[2:].partition("=")[0].partition(".")[2])
                if before.stem == stem(column[-1]) or before.text.lower() in _MARKED:
                    yield Mention(token, at, at, 1.0)

    def _coded(self, spoken: tuple[Word, ...], text: str) -> Iterator[Mention]:
        """Codes by their shape, whether they are known or not."""
        for code in self._codes.said(text):
            covered = places_of(spoken, code.start, code.end)
            for token in code.tokens if covered else ():
                yield Mention(token, covered[0], covered[-1], 1.0)

    def _short(self, parts: tuple[str, ...], first: int, last: int) -> list[Mention]:
        """Values by the name of their people or by their initials."""
        if len(parts) != 1:
            return []
        known = DEMONYMS.get(parts[0]) or DEMONYMS.get(parts[0].removesuffix("s"))
        if known and (tokens := self._exact.get(tuple(name_words(known)))):
            return [Mention(t, first, last, 0.9) for t in tokens]
        if 2 <= len(parts[0]) <= 4 and (tokens := self._initials.get(parts[0])):
            return [Mention(t, first, last, 0.7) for t in tokens]
        return []

    def _abbreviated(self, word: str, at: int) -> list[Mention]:
        """What "the US" names where it does not say "us"."""
        whole = [Mention(token, at, at, 1.0) for token in self._exact.get((word,), ())]
        return whole or self._short((word,), at, at)

    def _near(self, spelling: str, first: int, last: int) -> list[Mention]:
        if len(spelling) < _FUZZY_FROM or last - first > 2:
            return []
        close = process.extract(
            spelling, self._spellings, scorer=fuzz.ratio, score_cutoff=_FUZZY_SCORE, limit=2
        )
        return [
            Mention(token, first, last, 0.6 * score / 100)
            for name, score, _ in close
            for token in self._exact[tuple(name.split(" "))]
        ]


def _is_abbreviation(word: str) -> bool:
    """Whether a word of any question is written as no such word is."""
    return len(word) > 1 and word.isupper() and word.lower() in STOP_WORDS


def _table_of(mention: Mention) -> str:
    return mention.token[2:].partition(".")[0]


def _telling_parts(values: Sequence[str]) -> dict[tuple[str, ...], str]:
    """Runs of words that only one of a column's values holds: "Brooklyn" of "Fernhill Brooklyn"."""
    owners: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for value in values:
        words = tuple(name_words(value))
        if 1 < len(words) <= _LONGEST_VALUE:
            for first in range(len(words)):
                for after in range(first + 1, len(words) + 1):
                    owners[words[first:after]].add(value)
        elif words:
            owners[words].add(value)
    return {
        part: next(iter(found))
        for part, found in owners.items()
        if len(found) == 1 and _is_telling(part) and part != tuple(name_words(next(iter(found))))
    }


def _is_telling(part: tuple[str, ...]) -> bool:
    ends = (part[0], part[-1])
    said = any(len(w) >= _SHORTEST_PART and w.isalpha() for w in part)
    return said and not any(w in STOP_WORDS for w in ends)


def _weight(mention: Mention) -> float:
    return mention.quality * (1 + 0.2 * (mention.last - mention.first))


def _longest(mentions: list[Mention]) -> list[Mention]:
    """Mentions best first, without those inside a longer, better one ("new" in "New York")."""
    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda m: (-(m.last - m.first), -m.quality, m.token)):
        inside = any(
            k.first <= mention.first and mention.last <= k.last
            and (k.last - k.first) > (mention.last - mention.first)
            and k.quality >= mention.quality - 0.3
            for k in kept
        )  # fmt: skip
        if not inside:
            kept.append(mention)
    return sorted(kept, key=lambda m: (-_weight(m), m.first, m.token))


def mentions(question: str, index: ValueIndex, today: date) -> tuple[Mention, ...]:
    """Every mention in ``question``: dates first, then values, numbers and quoted text."""
    spoken = words(question)
    found: list[Mention] = []
    dated: set[int] = set()
    values = [m for m in index.mentions(spoken, question) if not _is_form(m, spoken, question)]
    named = _inside_names(values)
    for span in date_spans(question, today, index.fiscal_year):
        covered = places_of(spoken, span.start, span.end)
        if covered and not named.issuperset(covered):
            token = f"d:{span.range.start}/{span.range.end}"
            found.append(Mention(token, covered[0], covered[-1], 1.0))
            for other in span.others:
                token = f"d:{other.start}/{other.end}"
                found.append(Mention(token, covered[0], covered[-1], _LESS_LIKELY))
            # A bare year may be meant as a number ("models of 2014" over a numeric column).
            dated.update(i for i in covered if not _is_year(spoken[i].text))
    found.extend(values)
    scales = [i for s in _SCALE.finditer(question) for i in places_of(spoken, *s.span())]
    for number in number_spans(question):
        taken = dated.union(named, scales)
        covered = [i for i in places_of(spoken, number.start, number.end) if i not in taken]
        if covered:
            found = [m for m in found if not _is_unit(m, covered[-1])]
            found.append(Mention(f"n:{number.value}", covered[0], covered[-1], 1.0))
    for i, word in enumerate(spoken):
        if word.text.lower() in _NOUGHT:
            found.append(Mention("n:0", i, i, _NOUGHT_QUALITY))
    for quoted in _QUOTED.finditer(question):
        text = quoted.group(1) or quoted.group(2)
        covered = places_of(spoken, quoted.start(), quoted.end())
        if covered:
            found.append(Mention(f"s:{text}", covered[0], covered[-1], 1.0))
    found.extend(_unquoted(question, spoken, found))
    return _distinct(found)


def _unquoted(
    question: str, spoken: tuple[Word, ...], found: Sequence[Mention]
) -> Iterator[Mention]:
    """Text that is searched for, and names in capitals, which nothing else explains."""
    taken = {i for m in found if m.quality > 0.5 for i in range(m.first, m.last + 1)}
    for pattern, group, quality in ((_SOUGHT, 1, 0.8), (_NAME, 0, 0.5)):
        for match in pattern.finditer(question):
            covered = places_of(spoken, match.start(group), match.end(group))
            if covered and not taken & set(covered):
                taken.update(covered)
                yield Mention(f"s:{match.group(group)}", covered[0], covered[-1], quality)


def _is_unit(mention: Mention, number: int) -> bool:
    """Whether a currency is but the unit of a number: "over 50 euro"."""
    return mention.first == mention.last == number + 1 and _is_currency(mention)


def _is_form(mention: Mention, spoken: tuple[Word, ...], question: str) -> bool:
    """Whether a currency is but what the answer is written in: "our largest order, in euro"."""
    before, after = question[: spoken[mention.first].start], question[spoken[mention.last].end :]
    apart = _IN_UNITS.search(before) is not None and _ENDS.match(after) is not None
    return apart and _is_currency(mention)


def _is_currency(mention: Mention) -> bool:
    return mention.token[:2] == "v:" and "curr" in mention.token.partition("=")[0].lower()


def _inside_names(values: Sequence[Mention]) -> frozenset[int]:
    """Words of values that are said in full: 2025 in "Summer Camp 2025" is no year of its own."""
    whole = (m for m in values if m.quality == 1.0 and m.last > m.first)
    return frozenset(i for m in whole for i in range(m.first, m.last + 1))


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.isdigit()


def places_of(spoken: tuple[Word, ...], start: int, end: int) -> list[int]:
    """Which words the characters ``start``:``end`` of their text touch."""
    return [i for i, word in enumerate(spoken) if word.start < end and start < word.end]


def _distinct(found: list[Mention]) -> tuple[Mention, ...]:
    seen: dict[str, Mention] = {}
    for mention in found:
        seen.setdefault(mention.token, mention)
    return tuple(seen.values())
