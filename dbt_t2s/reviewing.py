"""A person's review of the corpus, on disk: the sheet that is given out, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dbt_t2s import __version__, store
from dbt_t2s.corpus.card import card
from dbt_t2s.corpus.coverage import recounted
from dbt_t2s.corpus.examples import Corpus, Example
from dbt_t2s.corpus.patterns import Pattern
from dbt_t2s.corpus.review import (
    Reviewed,
    apply,
    merged,
    read_sheet,
    read_written,
    sheet,
    written,
)
from dbt_t2s.corpus.splits import SPLITS
from dbt_t2s.errors import CorpusError, UsageError
from dbt_t2s.instances import instances_of, readable
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.workspace import Workspace, file_stamp

SHEET_ROWS = 200
_FORMS = (".csv", ".jsonl")


def check_sheet(file: Path) -> None:
    """UsageError where the file's name says no form that is known."""
    if file.suffix.lower() not in _FORMS:
        raise UsageError(
            f"a review is a {' or a '.join(_FORMS)} file",
            where=str(file),
            hint="dbt-t2s generate --review review.csv",
        )


def reviews_of(workspace: Workspace) -> tuple[Reviewed, ...]:
    """What people made of examples so far; CorpusError where the file cannot be read."""
    path = workspace.reviewed_path
    if not path.exists():
        return ()
    return read_written(_text(path), str(path))


def give_out(workspace: Workspace, corpus: Corpus, file: Path, rows: int) -> None:
    """Writes ``rows`` examples from all over the corpus for a person to judge."""
    examples = spread(corpus.examples, rows or SHEET_ROWS)
    store.write_text(file, sheet(examples, as_csv=file.suffix.lower() == ".csv"))
    workspace.console.print(
        f"{len(examples):,} examples are in {file}: put right or wrong under verdict, or edit the"
        " question or the SQL, and run the same command again"
    )


def take_in(workspace: Workspace, schema: ProjectSchema, corpus: Corpus, file: Path) -> bool:
    """Adds what the sheet says to the project's reviews; whether it said anything new."""
    before = reviews_of(workspace)
    known = {each.id: each for each in corpus.examples}
    known.update((each.id, each.was) for each in before)
    instances = instances_of(workspace, schema)
    first = workspace.warehouse_dir / instances.files[0]
    with Sandbox(first, readable(schema, instances), schema.dialect) as sandbox:
        as_csv = file.suffix.lower() == ".csv"
        found, issues = read_sheet(_text(file), known, sandbox.execute, str(file), as_csv=as_csv)
    workspace.console.issues(issues, limit=20, file=str(file))
    after = merged(before, found)
    wrong = sum(each.verdict == "wrong" for each in found)
    edited = sum(each.is_edit for each in found if each.verdict != "wrong")
    workspace.console.print(
        f"{file}: {len(found):,} verdicts and edits, {wrong:,} left out, {edited:,} edited,"
        f" {len(issues):,} lines that cannot be used; kept in {workspace.reviewed_path}"
    )
    if after == before:
        return False
    store.write_text(workspace.reviewed_path, written(after))
    return True


def write_reviewed(
    workspace: Workspace, schema: ProjectSchema, corpus: Corpus, inputs: Mapping[str, str]
) -> Corpus:
    """Writes the corpus as people reviewed it, with its coverage, splits and card.

    CorpusError where nothing is left to learn from. ``inputs`` is what it was drawn from.
    """

    reviews = reviews_of(workspace)
    if reviews:
        patterns = store.read_rows(workspace.patterns_path, Pattern)
        kept = apply(corpus.examples, reviews)
        corpus = recounted(kept, schema, patterns, corpus.coverage.rejected)
    if not any(example.split == "train" for example in corpus.examples):
        raise CorpusError(
            "no training example could be made from this project",
            where=str(workspace.schema_path),
            hint="`dbt-t2s distill --format text` shows what was found; document and test more",
        )
    made_from = {**inputs, "reviewed": file_stamp(workspace.reviewed_path)}
    for split in SPLITS:
        rows = [example for example in corpus.examples if example.split == split]
        store.write_rows(workspace.dataset_dir / f"{split}.parquet", rows, Example, made_from)
    store.write_text(
        workspace.card_path, card(corpus, schema, workspace.settings.seed, __version__)
    )
    store.write_json(workspace.coverage_path, corpus.coverage, made_from)
    store.write_rows(workspace.examples_path, corpus.examples, Example, made_from)
    return corpus


def spread(examples: tuple[Example, ...], count: int) -> tuple[Example, ...]:
    """``count`` examples from all over the corpus, the same ones each time."""
    step = max(1, len(examples) // max(count, 1))
    return examples[::step][:count]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"the review cannot be read: {error}",
            where=str(path),
            hint="save it as UTF-8 text (CSV UTF-8 in a spreadsheet)",
        ) from error
