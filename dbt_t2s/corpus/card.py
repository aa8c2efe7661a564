"""The data card beside a corpus: what is in it, where it comes from and what it lacks, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dbt_t2s.corpus.coverage import EXAMPLES, WORDINGS, Ledger
from dbt_t2s.corpus.duplicates import NEAR
from dbt_t2s.corpus.examples import Corpus, Counted, Example
from dbt_t2s.corpus.splits import SPLITS
from dbt_t2s.corpus.variety import REGISTERS, divergence, general_words, openings, variety
from dbt_t2s.project.schema import Issue, Level, ProjectSchema

_REASONS = 12
_NAMED = 8
_EACH = 2


def card(corpus: Corpus, schema: ProjectSchema, seed: int, version: str) -> str:
    """The card as Markdown."""
    sections = (
        _head(corpus, schema, seed, version),
        _splits(corpus),
        _covered(corpus),
        _table("What is asked", "type", corpus.coverage.by_type),
        _table("How it is asked", "template", corpus.coverage.templates),
        _wording(corpus, schema),
        _examples(corpus),
        _lacking(corpus.coverage.issues),
        _rejected(corpus.coverage.rejected),
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _head(corpus: Corpus, schema: ProjectSchema, seed: int, version: str) -> Iterator[str]:
    answered = sum(bool(example.sql) for example in corpus.examples)
    reviewed = sum(example.origin == "review" for example in corpus.examples)
    yield f"# Training data of {schema.project}"
    yield ""
    yield (
        f"{len(corpus.examples):,} questions in English, {answered:,} with the SQL that answers"
        f" them ({schema.dialect}) and {len(corpus.examples) - answered:,} that this data cannot"
        f" answer. Made by dbt-t2s {version} with seed {seed} from the dbt project alone:"
        f" {len(schema.tables):,} tables, {len(schema.metrics):,} metrics and"
        f" {len(schema.askable_rules):,} business rules. The same project and seed give the same"
        " file."
    )
    yield ""
    yield (
        "No person wrote these questions"
        + (f", but for {reviewed:,} that a reviewer edited" if reviewed else "")
        + ". Each SQL was run on a copy of the warehouse, or on rows made up where there is none,"
        " and gave rows. Values of columns that are marked as personal data are not here; other"
        " values of the warehouse are."
    )


def _splits(corpus: Corpus) -> Iterator[str]:
    counts = Counter(example.split for example in corpus.examples)
    yield "## Splits"
    yield ""
    yield ", ".join(f"{counts[split]:,} {split}" for split in SPLITS) + "."
    yield (
        "Questions that ask the same of the same tables, columns and metrics, with whatever"
        " values, numbers and dates, are in one split: dev and test hold combinations that"
        f" training does not. No two questions of different splits share {NEAR:.0%} of their word"
        " pairs."
    )


def _covered(corpus: Corpus) -> Iterator[str]:
    found = corpus.coverage
    yield "## Coverage"
    yield ""
    yield (
        f"{found.complete:.1%} of what can be asked about is in at least {EXAMPLES} questions in at"
        f" least {WORDINGS} wordings (names and values aside). All counts: coverage.json."
    )
    yield ""
    yield "| | there are | asked about | least | median |"
    yield "|---|---:|---:|---:|---:|"
    groups = ("tables", "columns", "metrics", "joins", "rules", "operators", "patterns")
    for name in groups:
        counts = sorted(each.examples for each in getattr(found, name))
        if counts:
            asked = sum(count > 0 for count in counts)
            middle = counts[len(counts) // 2]
            yield f"| {name} | {len(counts):,} | {asked:,} | {counts[0]:,} | {middle:,} |"


def _table(title: str, name: str, counted: Sequence[Counted]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield f"| {name} | questions | wordings |"
    yield "|---|---:|---:|"
    for each in sorted(counted, key=lambda each: -each.examples):
        yield f"| {each.thing} | {each.examples:,} | {each.wordings:,} |"


def _wording(corpus: Corpus, schema: ProjectSchema) -> Iterator[str]:
    """How varied the questions are, names and values left out."""
    ledger = Ledger(schema)
    said = {example.id: ledger.wording(example.question) for example in corpus.examples}
    found = variety([example.question for example in corpus.examples], list(said.values()))
    yield "## How varied the wording is"
    yield ""
    if found is None:
        yield "There is no question."
        return
    few, middle, many = found.lengths
    opening, share = found.common_opening
    registers = zip(REGISTERS, found.registers, strict=True)
    yield "Names, values and numbers count as the same word, `_`."
    yield ""
    yield f"- length: {middle} words in the middle, {few} to {many} for eight of ten"
    yield (
        f"- openings (two words): {found.openings:,}, as varied as {found.even_openings:,.0f} that"
        f' are equally frequent; the most frequent is "{opening}" ({share:.1%})'
    )
    yield f"- registers: {', '.join(f'{name} {part:.0%}' for name, part in registers)}"
    yield f"- a mark at the end {found.marked:.0%}, no capitals {found.lowered:.0%}"
    yield f"- worded as an earlier question is: {found.alike:.1%}"
    yield (
        f"- vocabulary: {found.vocabulary:,} words beyond the project's own, {found.general:.0%} of"
        " all that is said"
    )
    yield from _apart(corpus, said)


def _apart(corpus: Corpus, said: Mapping[str, str]) -> Iterator[str]:
    """How far the test questions' wording is from that of training, and a part of training from
    the rest: few questions differ from many by chance alone."""
    train, test = (
        [said[example.id] for example in corpus.examples if example.split == split]
        for split in ("train", "test")
    )
    if not test or len(train) < 2 * len(test):
        return
    step = len(train) // len(test)
    part, rest = train[::step], [each for i, each in enumerate(train) if i % step]
    apart = ", ".join(
        f"{name} {divergence(count(test), count(train)):.2f} and"
        f" {divergence(count(part), count(rest)):.2f}"
        for name, count in (("openings", openings), ("words", general_words))
    )
    yield (
        "- distance of test from train (0: worded alike, 1: nothing in common), and of as large a"
        f" part of train from the rest: {apart}"
    )


def _examples(corpus: Corpus) -> Iterator[str]:
    yield "## Some of them"
    shown: Counter[str] = Counter()
    for example in corpus.examples:
        if shown[example.type] < _EACH:
            shown[example.type] += 1
            yield ""
            yield from _shown(example)


def _shown(example: Example) -> Iterator[str]:
    yield f"*{example.type}, phase {example.phase}*: {example.question}"
    yield ""
    yield "```sql"
    yield example.sql or "-- not in this data"
    yield "```"


def _lacking(issues: Iterable[Issue]) -> Iterator[str]:
    """What is not asked about, by the reason for it."""
    yield "## What it lacks"
    yield ""
    places: dict[str, list[str]] = {}
    for issue in sorted(issues, key=lambda issue: issue.level is not Level.WARNING):
        places.setdefault(issue.message, []).append(issue.where)
    if not places:
        yield "Nothing that the project has and that can be asked about."
    for message, wheres in places.items():
        more = f" and {len(wheres) - _NAMED:,} more" if len(wheres) > _NAMED else ""
        yield f"- {message}: {', '.join(wheres[:_NAMED])}{more}"


def _rejected(rejected: Sequence[Counted]) -> Iterator[str]:
    yield "## What was drawn and not kept"
    yield ""
    most = sorted(rejected, key=lambda each: -each.examples)
    for each in most[:_REASONS]:
        yield f"- {each.thing}: {each.examples:,}"
    left = sum(each.examples for each in most[_REASONS:])
    if left:
        yield f"- other reasons: {left:,}"
    if not most:
        yield "Nothing."
