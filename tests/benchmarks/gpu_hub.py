"""Prints how fast hub models train and answer, beside TRL where it is installed.

    python -m tests.benchmarks.gpu_hub prepare PROJECT/target/t2s FOLDER      # where the project is
    python -m tests.benchmarks.gpu_hub run FOLDER --results DIR --seconds 420 # where the GPU is
    python -m tests.benchmarks.gpu_hub cpu FOLDER --results DIR               # beside TRL on a CPU

``prepare`` writes prompts and answers as numbers (a few MB), so that the GPU's machine needs
nothing but this repository, FOLDER, torch, transformers, peft and accelerate; llguidance for the
grammar, trl and datasets to compare, where they are installed. What is missing or fails is told in
the table and ends nothing. ``run`` measures one thing after another, keeps each in
DIR/results.jsonl at once and skips what is in there or in FOLDER/results.jsonl when it is run
again; it ends after ``--seconds`` and prints the table of what it has. Weights are random, shapes
those of Qwen2.5-Coder; the tokenizer is trained on the prompts, so examples are shorter in tokens
than Qwen's own would be. ``--tiny`` tries all of it on a CPU in a minute.

TRL is given the same weights, rows in the same order, batches, rows at once, learning rates,
attention and loss on answers alone: packed by its own packer into as many tokens as we have at
once, and padded row by row as we are. ``cpu`` trains some steps of a small model by both, in turn,
and compares medians and the loss on rows that neither has seen.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from dbt_t2s.model.hub_base import Base
from dbt_t2s.model.hub_constraint import is_available
from dbt_t2s.model.hub_encoder import Encoder
from dbt_t2s.model.hub_loss import AnswerLoss, mean_loss
from dbt_t2s.model.hub_settings import HubSettings
from dbt_t2s.project.schema import ProjectSchema
from tests.benchmarks.hub_bench import Bench
from tests.benchmarks.hub_ways import answering, matrix_rate, ours, trl

ORDER = (
    ("1.5B", "lora"), ("0.5B", "lora"), ("3B", "lora"), ("1.5B", "full"), ("0.5B", "full"),
    ("3B", "full"),
)  # fmt: skip
WAYS = ("packed", "padded", "trl packed", "trl padded")
HELD_OUT = 32


def prepare(project: Path, folder: Path, most: int, schema_tokens: int) -> None:
    """What ``run`` needs of a project, from its schema and dataset."""
    from dbt_t2s import store
    from dbt_t2s.corpus.examples import Example
    from dbt_t2s.model.prompt import build_prompt, plain_prompt
    from dbt_t2s.model.schema_reader import SchemaReader
    from tests.model.tiny import make_tokenizer

    schema = store.read_json(project / "schema.json", ProjectSchema)
    found = store.read_rows(project / "dataset" / "train.parquet", Example)
    rows = found[:: max(len(found) // most, 1)][:most]
    reader = SchemaReader(schema)
    texts = [
        plain_prompt(build_prompt(row.question, reader.slice(row.question))) + row.sql
        for row in rows[:400]
    ]
    asked = [{"question": row.question, "sql": row.sql, "split": "train"} for row in rows]
    words = make_tokenizer(texts, 8000)
    print(write(folder, schema, words, asked, len(found), HubSettings(schema_tokens=schema_tokens)))


def write(
    folder: Path,
    schema: ProjectSchema,
    words: Any,
    rows: Sequence[Mapping[str, str]],
    corpus: int,
    settings: HubSettings,
) -> str:
    """Writes what ``run`` reads; ``corpus`` is how many rows a whole training would have."""
    from transformers import Qwen2Config

    from dbt_t2s.query.lark import plan_lark

    config = Qwen2Config(max_position_embeddings=32_768)
    base = Base("", argparse.Namespace(config=config), words, torch.device("cpu"))
    encoder = Encoder(base, schema, settings)
    made = [each for each in map(encoder.example, rows) if each is not None]
    folder.mkdir(parents=True, exist_ok=True)
    words.save_pretrained(folder / "tokenizer")
    (folder / "grammar.lark").write_text(plan_lark(schema), "utf-8")
    kept = json.dumps([(list(each.prompt), list(each.answer)) for each in made])
    (folder / "examples.json.gz").write_bytes(gzip.compress(kept.encode()))
    about = {"rows": corpus, "schema_tokens": settings.schema_tokens}
    (folder / "about.json").write_text(json.dumps(about), "utf-8")
    tokens = sum(map(len, made)) / len(made)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{len(made)} examples of {tokens:.0f} tokens, {size / (1 << 20):.1f} MiB in {folder}"


def measure_all(bench: Bench, tiny: bool) -> None:
    bench.measure("matrix rate", partial(matrix_rate, bench))
    small = "tiny" if tiny else "0.5B"
    bench.measure(f"{small} answers free", partial(answering, bench, small, False))
    if is_available():
        bench.measure(f"{small} answers constrained", partial(answering, bench, small, True))
    for shape, method in (("tiny", "lora"), ("tiny", "full")) if tiny else ORDER:
        for way in WAYS:
            how = trl if way.startswith("trl") else ours
            packing = way.endswith("packed")
            bench.measure(f"{shape} {method} {way}", partial(how, bench, shape, method, packing))
    # Last, as it takes long: whether a compiled model pays, for both.
    if not tiny:
        for way, how in (("packed", ours), ("trl packed", trl)):
            bench.measure(
                f"1.5B lora {way} compiled",
                partial(how, bench, "1.5B", "lora", True, compiled=True),
            )


def compare(bench: Bench, shape: str, method: str, rounds: int, steps: int) -> None:
    """Ours and TRL's in turn, padded as both do on a CPU."""
    unseen = bench.rows[-HELD_OUT:]
    bench.rows = bench.rows[:-HELD_OUT]

    def once(way: str) -> dict[str, Any]:
        made: list[Base] = []
        how = trl if way == "trl" else ours
        # Without dropout both must end with the same loss.
        found = how(bench, shape, method, False, steps=steps, made=made, dropout=0.0)
        (base,) = made
        loss = AnswerLoss(base.model, base.device, packing=False)
        with torch.no_grad():
            found["unseen_loss"] = round(mean_loss(base.model, unseen, loss, 4096), 4)
        return found

    for turn in range(1, rounds + 1):
        for way in ("ours", "trl"):
            bench.measure(f"{shape} {method} {way} {turn}", partial(once, way), most=3600)
    for name in ("examples_s", "tokens_s", "cpu_ms_example", "unseen_loss"):
        left, right = (
            statistics.median(values)
            if (values := [f[name] for k, f in bench.kept.items() if f" {way} " in k and name in f])
            else float("nan")
            for way in ("ours", "trl")
        )
        print(f"{name}: ours {left}, TRL {right} (medians), ratio {left / right:.3f}")


def table(bench: Bench) -> str:
    """All that was measured, a row each, then what is told beside TRL and the goals."""
    columns = (
        "name", "examples_s", "tokens_s", "tflops", "share_of_rate", "corpus_min", "peak_gib",
        "cpu_ms_example", "questions_s", "ms_a_token", "attention", "dtype", "loss",
        "rows_at_once", "checkpointing", "compile", "unseen_loss", "failed",
    )  # fmt: skip
    shown = [c for c in columns if any(c in found for found in bench.kept.values())]
    lines = [f"| {' | '.join(shown)} |", "|" + "---|" * len(shown)]
    for found in bench.kept.values():
        lines.append(f"| {' | '.join(str(found.get(name, '')) for name in shown)} |")
    missing = [name for name in ("trl", "datasets", "llguidance") if find_spec(name) is None]
    if missing:
        lines.append(f"not installed here: {', '.join(missing)}")
    if bench.broken:
        lines.append(f"the device works no more in this process ({bench.broken}): run it again")
    return "\n".join([*lines, *_ratios(bench)])


def _ratios(bench: Bench) -> list[str]:
    """Our best way beside TRL's best, and what the grammar takes."""
    lines = []
    for shape, method in (*ORDER, ("tiny", "lora"), ("tiny", "full")):
        best = {
            who: max(
                (
                    bench.kept.get(f"{shape} {method} {way}", {}).get("examples_s", 0.0)
                    for way in WAYS
                    if way.startswith("trl") == (who == "TRL")
                ),
                default=0.0,
            )
            for who in ("ours", "TRL")
        }
        if all(best.values()):
            ratio = best["ours"] / best["TRL"]
            lines.append(f"{shape} {method}: {ratio:.2f} times TRL's examples a second (goal 2)")
    for shape in ("0.5B", "tiny"):
        free, held = (
            bench.kept.get(f"{shape} answers {how}", {}).get("ms_a_token")
            for how in ("free", "constrained")
        )
        if free and held:
            lines.append(f"{shape}: the grammar adds {held / free - 1:.1%} to a token (goal 10%)")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("prepare", "run", "cpu"))
    parser.add_argument("places", nargs="+", type=Path)
    parser.add_argument("--results", type=Path, help="where results.jsonl is kept; else FOLDER")
    parser.add_argument("--seconds", type=float, default=420.0, help="of all measurements")
    parser.add_argument("--each", type=float, default=9.0, help="of one of them")
    parser.add_argument("--retry", action="store_true", help="measure again what failed")
    parser.add_argument("--most", type=int, default=640, help="examples that are prepared")
    parser.add_argument("--schema-tokens", type=int, default=HubSettings.schema_tokens)
    parser.add_argument("--tiny", action="store_true", help="a tiny model, on any machine")
    parser.add_argument("--shape", default="20M", help="of the model of cpu")
    parser.add_argument("--method", default="lora", help="of cpu: lora or full")
    parser.add_argument("--rounds", type=int, default=3, help="of cpu")
    parser.add_argument("--steps", type=int, default=12, help="of cpu, in each training")
    options = parser.parse_args()
    folder = options.places[0]
    if options.what == "prepare":
        prepare(folder, options.places[1], options.most, options.schema_tokens)
        return
    results = options.results or folder
    bench = Bench(folder, results, options.seconds, options.each, options.retry)
    if options.what == "cpu":
        compare(bench, options.shape, options.method, options.rounds, options.steps)
    else:
        measure_all(bench, options.tiny)
    print(table(bench))
    sys.exit(1 if bench.broken else 0)


if __name__ == "__main__":
    main()
