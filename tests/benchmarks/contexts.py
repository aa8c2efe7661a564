"""Prints what a hub model gains and pays for being told the schema: nothing, a part, or all of it.

    python -m tests.benchmarks.contexts prompts PROJECT/target/t2s MODELS …
    python -m tests.benchmarks.contexts train PROJECT/target/t2s --seeds 0 1 2 --minutes 4

``prompts`` counts the tokens of the corpus's questions, or of plain ones about a made-up company of
so many MODELS, with what stands around them, in a tokenizer of 8,000 tokens that was trained on
these prompts: Qwen's own takes more. ``train``
teaches small models with random weights a few of the project's tables, one thread and as many
minutes each, and runs what they answer to questions they have not seen. Such a model starts
without any language: it says how fast each setting learns, not how good a pretrained one gets.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.errors import ModelError
from dbt_t2s.hub_training import is_right
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.model.hub import train_hub
from dbt_t2s.model.hub_base import Base, load_adapter, load_base
from dbt_t2s.model.hub_encoder import Encoder
from dbt_t2s.model.hub_found import ADAPTER
from dbt_t2s.model.hub_generate import Answerer
from dbt_t2s.model.hub_loss import AnswerLoss, mean_loss
from dbt_t2s.model.hub_settings import CONTEXTS, HubSettings
from dbt_t2s.model.prompt import build_prompt, plain_prompt
from dbt_t2s.model.schema_reader import SchemaReader
from dbt_t2s.project import artifacts
from dbt_t2s.project.dbt import DIALECTS, DbtProject
from dbt_t2s.project.distill import distill
from dbt_t2s.project.schema import ProjectSchema
from tests.benchmarks.retrieval import asked_of
from tests.model.tiny import make_tokenizer
from tests.tools import company_project
from tests.tools.company_project import Size

TABLES = ("products", "stores")
SPLITS = ("train", "dev", "test")
SETTINGS = HubSettings(
    method="full", learning_rate=1e-3, schema_tokens=200, max_tokens=4096, max_answer=128,
    evaluations=0, passes=1e6,
)  # fmt: skip
ASKED = 100


@dataclass(frozen=True)
class Corpus:
    schema: ProjectSchema
    rows: tuple[Example, ...]

    def of(self, split: str) -> list[Example]:
        return [row for row in self.rows if row.split == split]


def read(folder: Path) -> Corpus:
    """A project's schema and its examples with SQL."""
    schema = store.read_json(folder / "schema.json", ProjectSchema)
    paths = [folder / "dataset" / f"{split}.parquet" for split in SPLITS]
    return Corpus(schema, tuple(r for p in paths for r in store.read_rows(p, Example) if r.sql))


def part(corpus: Corpus, names: Sequence[str]) -> Corpus:
    """What concerns these tables alone."""
    kept = set(names)
    schema = corpus.schema
    relations = {table.relation for table in schema.tables if table.name in kept}
    asked = asked_of(schema, corpus.rows)
    small = replace(
        schema,
        tables=tuple(table for table in schema.tables if table.name in kept),
        joins=tuple(j for j in schema.joins if {j.table, j.to_table} <= kept),
        metrics=tuple(m for m in schema.metrics if set(m.tables) <= kept),
        rules=tuple(rule for rule in schema.rules if rule.table in kept),
    )
    return Corpus(
        small,
        tuple(
            row
            for row, each in zip(corpus.rows, asked, strict=True)
            if each.tables and each.tables <= relations
        ),
    )


def made_up(models: int) -> Corpus:
    """A company of that many models, distilled without a warehouse, and plain questions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        company_project.write(folder, Size(models, 4 * models))
        adapter = str(
            artifacts.section(artifacts.read(folder).manifest, "metadata")["adapter_type"]
        )
        schema = distill(
            DbtProject(
                name="company", root=folder, target_path=folder, profiles_dir=folder, profile="",
                target="", adapter=adapter, dialect=DIALECTS[adapter],
            )
        )  # fmt: skip
    columns = [(table, column) for table in schema.tables for column in table.columns]
    random.Random(0).shuffle(columns)
    rows = [
        Example(
            str(i), ("train", "test")[i % 2], 1, "grouping",
            f"how many {table.name.replace('_', ' ')} by {column.name.replace('_', ' ')}",
            f"select {column.name}, count(*) from {table.relation} group by 1",
            "", "", "", (), "",
        )
        for i, (table, column) in enumerate(columns[: 2 * ASKED])
    ]  # fmt: skip
    return Corpus(schema, tuple(rows))


def tokenizer_of(corpus: Corpus, size: int = 8000) -> Any:
    reader = SchemaReader(corpus.schema)
    rows = corpus.of("train")[:400]
    asked = [plain_prompt(build_prompt(r.question, reader.slice(r.question))) + r.sql for r in rows]
    return make_tokenizer([*asked, "\n".join(reader.lines.everything())], size)


def prompts(folder: Path) -> list[str]:
    """A line for each setting: tokens of prompts, and milliseconds to write one."""
    corpus = read(folder) if (folder / "schema.json").exists() else made_up(int(folder.name))
    questions = [row.question for row in corpus.rows if row.split != "train"][:ASKED]
    words = tokenizer_of(corpus)
    model = argparse.Namespace(config=Qwen2Config(max_position_embeddings=10**6))
    base = Base("", model, words, torch.device("cpu"))
    columns = sum(len(table.columns) for table in corpus.schema.tables)
    lines = [f"{folder}: {len(corpus.schema.tables)} tables, {columns} columns"]
    for context in CONTEXTS:
        settings = HubSettings(schema_context=context, max_tokens=10**6)
        encoder = Encoder(base, corpus.schema, settings)
        began = time.process_time()
        lengths = [len(encoder.prompt(question) or ()) for question in questions]
        spent = (time.process_time() - began) / len(questions) * 1000
        fits = ""
        if context == "full":
            try:
                Encoder(base, corpus.schema, replace(settings, max_tokens=HubSettings.max_tokens))
            except ModelError as error:
                fits = f"; by default refused: {error.what}"
        mean, most = statistics.mean(lengths), max(lengths)
        lines.append(f"  {context}: {mean:,.0f} tokens (most {most:,}), {spent:.1f} ms{fits}")
    return lines


def train(
    corpus: Corpus, warehouse: Path, context: str, seed: int, minutes: float
) -> dict[str, Any]:
    """One model, taught and examined."""
    settings = replace(SETTINGS, schema_context=context)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        words = tokenizer_of(corpus, 3000)
        words.save_pretrained(place / "base")
        torch.manual_seed(seed)
        sizes: dict[str, Any] = {
            "hidden_size": 128,
            "intermediate_size": 384,
            "num_hidden_layers": 3,
        }
        heads: dict[str, Any] = {"num_attention_heads": 4, "num_key_value_heads": 2}
        config = Qwen2Config(
            vocab_size=len(words), max_position_embeddings=4096, tie_word_embeddings=True,
            eos_token_id=words.eos_token_id, bos_token_id=None, **sizes, **heads,
        )  # fmt: skip
        Qwen2ForCausalLM(config).save_pretrained(place / "base")
        rows = [
            {"question": r.question, "sql": r.sql, "split": "train", "phase": str(r.phase)}
            for r in corpus.of("train")
        ]
        made = train_hub(
            rows, corpus.schema, str(place / "base"), place / "model", seed=seed, minutes=minutes,
            settings=settings,
        )  # fmt: skip
        base = load_base(str(place / "model"))
        model: Any = base.model
        if base.adapter:
            model = load_adapter(base, place / "model" / ADAPTER, trainable=False)
        encoder = Encoder(base, corpus.schema, settings)
        asked = [row for row in corpus.rows if row.split != "train"][:ASKED]
        lengths = [len(encoder.prompt(row.question) or ()) for row in asked]
        unseen = [encoder.example({"question": row.question, "sql": row.sql}) for row in asked]
        loss = mean_loss(
            model, [each for each in unseen if each], AnswerLoss(model, base.device), 4096
        )
        began = time.process_time()
        answers = Answerer(base, model.eval(), encoder, settings, beams=1).generate(
            [row.question for row in asked]
        )
        spent = (time.process_time() - began) / len(asked) * 1000
    names = [table.relation for table in corpus.schema.tables]
    with Sandbox(warehouse, names) as sandbox:
        right = [
            is_right(row.sql, best.sql, [sandbox.execute], corpus.schema.dialect)
            for row, (best, *_) in zip(asked, answers, strict=True)
        ]
    return {
        "context": context,
        "seed": seed,
        "prompt_tokens": round(statistics.mean(lengths)),
        "examples": made["steps"] * settings.batch,
        "seconds": made["seconds"],
        "passes": round(made["steps"] * settings.batch / made["rows"], 1),
        "train_loss": round(made["train_loss"], 3),
        "unseen_loss": round(loss, 3),
        "right": sum(right),
        "asked": len(asked),
        "ms_an_answer": round(spent),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("prompts", "train"))
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    parser.add_argument("--contexts", nargs="+", default=list(CONTEXTS))
    options = parser.parse_args()
    if options.what == "prompts":
        for folder in options.folders:
            print("\n".join(prompts(folder)), flush=True)
        return
    torch.set_num_threads(1)
    folder = options.folders[0]
    corpus = part(read(folder), options.tables)
    warehouse = next((folder / "warehouse").glob("*.duckdb"))
    print(f"{len(corpus.of('train'))} examples, {len(corpus.rows)} in all", flush=True)
    for seed in options.seeds:
        for context in options.contexts:
            print(json.dumps(train(corpus, warehouse, context, seed, options.minutes)), flush=True)


if __name__ == "__main__":
    main()
