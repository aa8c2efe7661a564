"""A hub model in use: prompts in batches, several answers each, how sure it is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from dbt_t2s.errors import ModelError
from dbt_t2s.model.generate import Agree, Candidate, Followed
from dbt_t2s.model.hub_base import Base, load_adapter, load_base
from dbt_t2s.model.hub_calibration import IDENTITY, Calibration
from dbt_t2s.model.hub_constraint import Constraint, is_available
from dbt_t2s.model.hub_encoder import Encoder
from dbt_t2s.model.hub_found import ADAPTER, RECORD
from dbt_t2s.model.hub_language import UNBOUND
from dbt_t2s.model.hub_loss import pad_left
from dbt_t2s.model.hub_settings import HubSettings, settings_from
from dbt_t2s.model.prompt import Answer, Said, Wrong, parse_answer
from dbt_t2s.model.turns import Turn
from dbt_t2s.project.schema import ProjectSchema

BEAMS = 3
_Read = Callable[[str], Answer]
_BATCH = {"cuda": 64}
_CPU_BATCH = 8


class Answerer:
    """Writes answers with a model that is in memory, trained or in training."""

    def __init__(
        self,
        base: Base,
        model: Any,
        encoder: Encoder,
        settings: HubSettings,
        beams: int = BEAMS,
    ) -> None:
        self._base, self._model, self._encoder = base, model, encoder
        self.batch = _BATCH.get(base.device.type, _CPU_BATCH)
        self._beams = beams
        # Also the filler: not every tokenizer has one, and some name one beyond the embeddings.
        self._end = int(base.tokenizer.eos_token_id)
        self._constraint = _constraint(base, encoder)
        config = base.model.config
        starts = getattr(config, "decoder_start_token_id", None)
        # Every choice is spelt out: a base model's own defaults may sample or punish repetition,
        # and SQL repeats itself. With no length penalty a beam's score is its log-probability.
        self._how = GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False,
            num_beams=beams,
            num_return_sequences=beams,
            length_penalty=0.0 if beams > 1 else None,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            max_new_tokens=settings.max_answer,
            eos_token_id=self._end,
            pad_token_id=self._end,
            decoder_start_token_id=starts,
            return_dict_in_generate=True,
            output_scores=True,
        )

    def generate(self, questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
        """Up to ``beams`` different candidates for each question, best first."""
        too_long = (Candidate("", 1.0, "the question is too long"),)
        answers: list[tuple[Candidate, ...]] = [too_long] * len(questions)
        prompts = [(i, self._encoder.prompt(question)) for i, question in enumerate(questions)]
        ready = sorted(
            ((i, prompt) for i, prompt in prompts if prompt is not None),
            key=lambda item: len(item[1]),
        )
        for start in range(0, len(ready), self.batch):
            part = ready[start : start + self.batch]
            asked = [questions[i] for i, _ in part]
            given = self._answer([prompt for _, prompt in part], asked)
            for (i, _), found in zip(part, given, strict=True):
                answers[i] = found
        return answers

    def follow(self, question: str, before: Sequence[Said]) -> tuple[Candidate, ...]:
        """Candidates for a question in a conversation; none where it is too long alone."""
        prompt = self._encoder.prompt(question, before=before)
        return self._answer([prompt], [question])[0] if prompt is not None else ()

    def mend(self, question: str, wrong_sql: str, message: str) -> tuple[Candidate, ...]:
        """Candidates for a question whose answer was wrong; none where that is too long to say."""
        prompt = self._encoder.prompt(question, Wrong(wrong_sql, message))
        return self._answer([prompt], [question], mending=True)[0] if prompt is not None else ()

    def _answer(
        self,
        prompts: Sequence[tuple[int, ...]],
        questions: Sequence[str],
        *,
        mending: bool = False,
    ) -> list[tuple[Candidate, ...]]:
        ids, mask = pad_left(prompts, self._end, self._base.device)
        # A decoder of its own begins with one token that says so.
        first = 1 if self._base.reads_apart else ids.shape[1]
        grammar = None if mending else self._constraint
        out = self._write(ids, mask, [grammar.masking(first)] if grammar else [])
        language = self._encoder.language
        reads: list[_Read] = [
            parse_answer if mending else partial(language.read, question=question)
            for question in questions
        ]
        written = out.sequences[:, first:].tolist()
        scores = self._scores(out, written)
        step = self._beams
        return [
            self._candidates(written[i : i + step], scores[i : i + step], read)
            for i, read in zip(range(0, len(written), step), reads, strict=True)
        ]

    def _write(self, ids: torch.Tensor, mask: torch.Tensor, masking: list[Any]) -> Any:
        model = self._model
        training, usual = model.training, model.generation_config
        model.eval()
        # Also as the model's own: what it would do by default is mixed in otherwise.
        model.generation_config = self._how
        try:
            with torch.no_grad():
                return model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    generation_config=self._how,
                    logits_processor=masking,
                    synced_gpus=False,  # where several train, one answers
                )
        finally:
            model.generation_config = usual
            model.train(training)

    def _scores(self, out: Any, written: Sequence[Sequence[int]]) -> list[float]:
        """The log-probability of each whole answer."""
        if self._beams > 1:
            return [float(score) for score in out.sequences_scores]
        steps = torch.stack(out.scores, dim=1).float().log_softmax(-1)
        scores = []
        for row, ids in enumerate(written):
            length = ids.index(self._end) + 1 if self._end in ids else len(ids)
            chosen = torch.tensor(ids[:length], device=steps.device)
            scores.append(float(steps[row, :length].gather(-1, chosen[:, None]).sum()))
        return scores

    def _candidates(
        self, written: Sequence[Sequence[int]], scores: Sequence[float], read: _Read
    ) -> tuple[Candidate, ...]:
        """The beams as candidates; ``confidence`` is the probability of the whole answer, with
        beams that say the same added up."""
        merged: dict[tuple[str, str], float] = {}
        for ids, score in zip(written, scores, strict=True):
            text = self._base.tokenizer.decode(list(ids), skip_special_tokens=True)
            answer = read(text)
            key = (answer.sql, answer.refusal)
            merged[key] = min(1.0, merged.get(key, 0.0) + math.exp(score))
        if len(merged) > 1:  # others say something that this one does not
            merged.pop(("", UNBOUND), None)
        ranked = sorted(merged.items(), key=lambda item: -item[1])
        return tuple(Candidate(sql, chance, refusal) for (sql, refusal), chance in ranked)


def _constraint(base: Base, encoder: Encoder) -> Constraint | None:
    """The grammar of what the model writes, where it has one and it can be enforced here."""
    lark = encoder.language.lark
    if not lark or not is_available():
        return None
    vocabulary = base.model.get_output_embeddings().weight.shape[0]
    return Constraint(lark, base.tokenizer, int(vocabulary), base.name)


@dataclass(frozen=True)
class Trained:
    """A trained model's record: its settings, its base and how sure it may be."""

    settings: HubSettings
    calibration: Calibration
    base: str


class HubGenerator:
    """A trained hub model that answers questions."""

    def __init__(self, model_dir: Path, schema: ProjectSchema) -> None:
        self.record = read_trained(model_dir)
        base = load_base(str(model_dir))
        model: Any = base.model
        if base.adapter:
            model = load_adapter(base, model_dir / ADAPTER, trainable=False)
            if base.model.dtype == torch.float32:
                # In full precision the merged weights say the same and are faster.
                model = model.merge_and_unload()
        settings = self.record.settings
        encoder = Encoder(base, schema, settings)
        self._schema = schema
        self._agree: Agree = tuple
        self._answerer = Answerer(base, model.eval(), encoder, settings)

    def agree_by(self, agree: Agree) -> None:
        """From here on candidates are told to say the same by ``agree``, as they were on dev."""
        self._agree = agree

    def generate(self, questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
        """Up to three different candidates for each question, best first."""
        return [self._sure(found) for found in self._answerer.generate(questions)]

    def follow(self, question: str, before: Sequence[Turn]) -> Followed:
        """What ``question`` asks after the answers of ``before``, told to the model as a chat."""
        # Training, which runs on bare machines, asks nothing in turn.
        from dbt_t2s.model.leaning import LEANING, anew, leans
        from dbt_t2s.model.whole import conversation

        if asked := anew(question):
            return Followed("", self.generate([asked])[0])
        if not before or leans(question) < LEANING:
            return Followed("")
        told = self._told(before)
        found = self._sure(self._answerer.follow(question, told)) if told else ()
        whole = conversation(before[-1].question, question)
        return Followed(whole, found) if found else Followed("")

    def _told(self, before: Sequence[Turn]) -> tuple[Said, ...]:
        """The conversation as the model writes answers: SQL, or plans where it writes these."""
        if self.record.settings.answers != "plan":
            return tuple(Said(turn.question, turn.sql) for turn in before)
        return tuple(Said(t.question, text) for t in before if (text := self._plan_of(t)))

    def _plan_of(self, turn: Turn) -> str:
        """The turn's plan in one line; empty where no plan says its SQL."""
        from dbt_t2s.query.linear import to_tokens
        from dbt_t2s.query.plan_text import plan_text
        from dbt_t2s.query.sql_plans import Converter
        from dbt_t2s.query.sql_source import NotConvertedError

        if turn.plan:
            return turn.plan
        try:
            return plan_text(to_tokens(Converter(self._schema).plan(turn.sql)))
        except NotConvertedError:
            return ""

    def mend(self, question: str, wrong_sql: str, message: str) -> tuple[Candidate, ...]:
        """Candidates for a question whose answer was wrong; none where that is too long to say."""
        return self._sure(self._answerer.mend(question, wrong_sql, message))

    def _sure(self, found: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        return self.record.calibration.applied(self._agree(found))


def read_trained(model_dir: Path) -> Trained:
    """The record of the model in ``model_dir``; ModelError where there is none."""
    if not (model_dir / RECORD).is_file():
        raise ModelError(
            "there is no trained hub model",
            where=str(model_dir),
            hint="dbt-t2s train --base <model>",
        )
    try:
        record = json.loads((model_dir / RECORD).read_text("utf-8"))
        settings = settings_from(record["settings"])
        found = record.get("calibration")
        calibration = Calibration(float(found[0]), float(found[1])) if found else IDENTITY
        return Trained(settings, calibration, str(record["base"]))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ModelError(
            "the model's record cannot be read",
            where=str(model_dir / RECORD),
            hint="dbt-t2s train --base <model>",
        ) from error
