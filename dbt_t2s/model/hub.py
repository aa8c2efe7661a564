"""Hub models: a causal language model taught one project through LoRA, and then asked.

Training needs torch, transformers, peft and safetensors alone, so that it runs on a bare GPU
machine to which only this package's code and a dataset are copied. Import this file lazily.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import GenerationConfig

from dbt_t2s.errors import ModelError
from dbt_t2s.model.generate import Candidate
from dbt_t2s.model.hub_base import (
    ADAPTER,
    RECORD,
    TOKENIZER,
    Base,
    Encoded,
    Encoder,
    answer_loss,
    load_adapter,
    load_base,
    mean_loss,
    micro_batches,
    pad_left,
)
from dbt_t2s.model.hub_checkpoint import (
    Place,
    drop_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from dbt_t2s.model.hub_schedule import Curriculum, rate
from dbt_t2s.model.prompt import SchemaReader, Wrong, parse_answer
from dbt_t2s.project.schema import ProjectSchema

Progress = Callable[[int, int, float], None]
"""Called after each step with (steps done, steps planned, running loss)."""

_DEV_ROWS = 200
_BEAMS = 3
_ASK_BATCH = 8


@dataclass(frozen=True)
class HubSettings:
    """How a hub model is trained; the defaults suit models of 0.5–3 billion parameters.

    ``budget`` is the characters of schema in a prompt, ``batch`` the effective batch and
    ``micro_tokens`` the padded tokens of it that are in memory at once.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    learning_rate: float = 5e-4
    batch: int = 16
    passes: float = 3.0
    budget: int = 4000
    max_tokens: int = 2048
    max_answer: int = 320
    micro_tokens: int = 4096
    checkpoint_steps: int = 50
    checkpoint_seconds: float = 120.0


def train_hub(
    rows: Sequence[Mapping[str, str]],
    schema: ProjectSchema,
    base: str,
    model_dir: Path,
    *,
    seed: int = 0,
    minutes: float | None = None,
    max_steps: int | None = None,
    progress: Progress | None = None,
    settings: HubSettings | None = None,
) -> dict[str, Any]:
    """Teach ``base`` the rows whose split is ``train`` and save the adapter in ``model_dir``.

    A row has ``question``, ``sql`` (empty: a refusal, with what is missing in ``refusal``),
    ``split`` and, for the curriculum, ``phase``. One with ``wrong_sql`` and ``message`` has that
    SQL mended; of one with ``reads``, SQL in any form, the question is the answer. A run that was
    killed goes on where its last checkpoint stood when it is called again with the same rows and
    settings. ``minutes`` bounds the training itself, ``max_steps`` the steps (by default
    ``settings.passes`` over the rows).
    """
    chosen = settings or HubSettings()
    loaded = load_base(base)
    encoder = _encoder(loaded, schema, chosen)
    train, phases, skipped = _encode(rows, "train", encoder)
    if not train:
        raise ModelError(
            "no row to train on" + (f"; {skipped} are too long for the model" if skipped else ""),
            where="split=train",
            hint="dbt-t2s generate, or a base model that reads longer prompts",
        )
    torch.manual_seed(seed)
    model = _with_adapter(loaded, chosen)
    planned = max_steps or math.ceil(chosen.passes * len(train) / chosen.batch)
    run = _run_id(train, phases, loaded, seed, planned, chosen)
    trainer = _Trainer(model, loaded.device, train, Curriculum(phases, seed), chosen)
    try:
        place = trainer.run(model_dir, run, planned, minutes, progress)
    except torch.OutOfMemoryError as error:
        raise ModelError(
            "the device ran out of memory while training",
            where=base,
            hint="a smaller --base, or settings with fewer micro_tokens",
        ) from error
    dev, _, _ = _encode(rows, "dev", encoder, limit=_DEV_ROWS)
    weights = trainer.weights.values()
    metrics: dict[str, Any] = {
        "base": loaded.name,
        "device": loaded.device.type,
        "rows": len(train),
        "skipped": skipped,
        "steps": place.step,
        "planned_steps": planned,
        "seconds": round(place.elapsed, 3),
        "train_loss": place.loss,
        "dev_rows": len(dev),
        "dev_loss": mean_loss(model, dev, loaded.device, chosen.micro_tokens) if dev else None,
        "trained_parameters": sum(value.numel() for value in weights),
    }
    _save(model_dir, loaded, model, chosen, metrics)
    drop_checkpoint(model_dir)
    return metrics


class HubGenerator:
    """A trained hub model that answers questions."""

    def __init__(self, model_dir: Path, schema: ProjectSchema) -> None:
        if not (model_dir / RECORD).is_file():
            raise ModelError(
                "there is no trained hub model",
                where=str(model_dir),
                hint="dbt-t2s train --base <model>",
            )
        try:
            record = json.loads((model_dir / RECORD).read_text("utf-8"))
            settings = HubSettings(**record["settings"])
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(
                "the model's record cannot be read",
                where=str(model_dir / RECORD),
                hint="dbt-t2s train --base <model>",
            ) from error
        base = load_base(str(model_dir))
        model: Any = load_adapter(base, model_dir / ADAPTER, trainable=False)
        if base.model.dtype == torch.float32:
            # In full precision the merged weights say the same and are faster.
            model = model.merge_and_unload()
        self._model = model.eval()
        self._base = base
        self._encoder = _encoder(base, schema, settings)
        # Also the filler: not every tokenizer has one, and some name one beyond the embeddings.
        self._end = int(base.tokenizer.eos_token_id)
        # Every choice is spelt out: a base model's own defaults may sample or punish repetition,
        # and SQL repeats itself. With no length penalty a beam's score is its log-probability.
        self._how = GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False,
            num_beams=_BEAMS,
            num_return_sequences=_BEAMS,
            length_penalty=0.0,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            max_new_tokens=settings.max_answer,
            eos_token_id=self._end,
            pad_token_id=self._end,
            return_dict_in_generate=True,
            output_scores=True,
        )
        self._model.generation_config = self._how

    def mend(self, question: str, wrong_sql: str, message: str) -> tuple[Candidate, ...]:
        """Candidates for a question whose answer was wrong; none where that is too long to say."""
        prompt = self._encoder.prompt(question, Wrong(wrong_sql, message))
        return self._answer([prompt])[0] if prompt is not None else ()

    def generate(self, questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
        """Up to three different candidates for each question, best first."""
        too_long = (Candidate("", 1.0, "the question is too long"),)
        answers: list[tuple[Candidate, ...]] = [too_long] * len(questions)
        prompts = [(i, self._encoder.prompt(question)) for i, question in enumerate(questions)]
        ready = sorted(
            ((i, prompt) for i, prompt in prompts if prompt is not None),
            key=lambda item: len(item[1]),
        )
        for start in range(0, len(ready), _ASK_BATCH):
            part = ready[start : start + _ASK_BATCH]
            for (i, _), found in zip(part, self._answer([p for _, p in part]), strict=True):
                answers[i] = found
        return answers

    def _answer(self, prompts: Sequence[tuple[int, ...]]) -> list[tuple[Candidate, ...]]:
        ids, mask = pad_left(prompts, self._end, self._base.device)
        with torch.no_grad():
            out = self._model.generate(
                input_ids=ids, attention_mask=mask, generation_config=self._how
            )
        written = out.sequences[:, ids.shape[1] :].tolist()
        scores = out.sequences_scores.tolist()
        return [
            self._candidates(written[i : i + _BEAMS], scores[i : i + _BEAMS])
            for i in range(0, len(written), _BEAMS)
        ]

    def _candidates(
        self, written: Sequence[Sequence[int]], scores: Sequence[float]
    ) -> tuple[Candidate, ...]:
        """The beams as candidates; ``confidence`` is the probability of the whole answer, with
        beams that say the same added up."""
        merged: dict[tuple[str, str], float] = {}
        for ids, score in zip(written, scores, strict=True):
            text = self._base.tokenizer.decode(list(ids), skip_special_tokens=True)
            answer = parse_answer(text)
            key = (answer.sql, answer.refusal)
            merged[key] = min(1.0, merged.get(key, 0.0) + math.exp(score))
        ranked = sorted(merged.items(), key=lambda item: -item[1])
        return tuple(Candidate(sql, chance, refusal) for (sql, refusal), chance in ranked)


class _Trainer:
    """One run: high learning rate early, cosine decay, gradients summed over a whole batch."""

    def __init__(
        self,
        model: Any,
        device: torch.device,
        rows: Sequence[Encoded],
        curriculum: Curriculum,
        settings: HubSettings,
    ) -> None:
        self.weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self._model, self._device, self._rows = model, device, rows
        self._curriculum, self._settings = curriculum, settings
        self._optimizer = torch.optim.AdamW(
            self.weights.values(), lr=settings.learning_rate, weight_decay=0.0
        )

    def run(
        self, folder: Path, run: str, steps: int, minutes: float | None, progress: Progress | None
    ) -> Place:
        self._model.train()
        found = load_checkpoint(folder, run, self.weights, self._optimizer)
        place = found or Place(run, 0, 0.0, 0.0, ())
        self._curriculum.cursors = dict(place.cursors)
        began = time.monotonic() - place.elapsed
        saved = time.monotonic()
        limit = minutes * 60 if minutes else math.inf
        while place.step < steps and place.elapsed < limit:
            loss = self._step(max(place.step / steps, place.elapsed / limit))
            shown = loss if place.step == 0 else 0.9 * place.loss + 0.1 * loss
            place = Place(
                run,
                place.step + 1,
                time.monotonic() - began,
                shown,
                tuple(sorted(self._curriculum.cursors.items())),
            )
            due = place.step % self._settings.checkpoint_steps == 0
            if due or time.monotonic() - saved > self._settings.checkpoint_seconds:
                save_checkpoint(folder, place, self.weights, self._optimizer)
                saved = time.monotonic()
            if progress:
                progress(place.step, steps, shown)
        return place

    def _step(self, share: float) -> float:
        batch = [self._rows[i] for i in self._curriculum.batch(share, self._settings.batch)]
        tokens = sum(len(row.answer) for row in batch)
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.learning_rate * rate(share)
        total = 0.0
        for part in micro_batches(batch, self._settings.micro_tokens):
            # Divided by the whole batch's tokens, so that how it is cut changes nothing.
            loss = answer_loss(self._model, part, self._device) / tokens
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        if not math.isfinite(total):
            raise ModelError(
                "the training loss is no longer a number",
                where="train",
                hint="train again with a lower learning rate",
            )
        torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return total


def _encoder(base: Base, schema: ProjectSchema, settings: HubSettings) -> Encoder:
    return Encoder(
        base,
        SchemaReader(schema),
        budget=settings.budget,
        max_tokens=settings.max_tokens,
        max_answer=settings.max_answer,
    )


def _encode(
    rows: Sequence[Mapping[str, str]], split: str, encoder: Encoder, limit: int | None = None
) -> tuple[list[Encoded], list[str], int]:
    """(examples, their phases, how many rows were too long)."""
    chosen = [row for row in rows if row["split"] == split][:limit]
    examples: list[Encoded] = []
    phases: list[str] = []
    for row in chosen:
        example = _example(row, encoder)
        if example is not None:
            examples.append(example)
            phases.append(str(row.get("phase", "1")))
    return examples, phases, len(chosen) - len(examples)


def _example(row: Mapping[str, str], encoder: Encoder) -> Encoded | None:
    if row.get("reads"):
        return encoder.reading(row["reads"], row["question"])
    bad = row.get("wrong_sql", "")
    wrong = Wrong(bad, row["message"]) if bad else None
    return encoder.example(row["question"], row.get("sql", ""), row.get("refusal", ""), wrong)


def _with_adapter(base: Base, settings: HubSettings) -> Any:
    if base.adapter:
        return load_adapter(base, Path(base.adapter), trainable=True)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(base.model, config)


def _run_id(
    rows: Sequence[Encoded],
    phases: Sequence[str],
    base: Base,
    seed: int,
    steps: int,
    settings: HubSettings,
) -> str:
    """Two runs with this id are the same run, so one may go on from the other's checkpoint."""
    digest = hashlib.sha256()
    digest.update(repr((base.name, base.adapter, seed, steps, settings)).encode())
    for row, phase in zip(rows, phases, strict=True):
        digest.update(repr((row.prompt, row.answer, phase)).encode())
    return digest.hexdigest()


def _save(
    model_dir: Path, base: Base, model: Any, settings: HubSettings, metrics: Mapping[str, Any]
) -> None:
    """Adapter and tokenizer first, the record last: without it the folder is no model."""
    model_dir.mkdir(parents=True, exist_ok=True)
    record, waiting = model_dir / RECORD, model_dir / ".hub.tmp"
    shutil.rmtree(waiting, ignore_errors=True)
    # The base's embeddings are not trained; asking peft to guess would ask the network.
    model.save_pretrained(str(waiting / ADAPTER), save_embedding_layers=False)
    base.tokenizer.save_pretrained(str(waiting / TOKENIZER))
    content = {"base": base.name, "settings": asdict(settings), "metrics": dict(metrics)}
    (waiting / RECORD).write_text(json.dumps(content, indent=2), "utf-8")
    record.unlink(missing_ok=True)
    for name in (ADAPTER, TOKENIZER, RECORD):
        target = model_dir / name
        if target.is_dir():
            shutil.rmtree(target)
        (waiting / name).rename(target)
    waiting.rmdir()
