"""Questions and answers as tokens, the same for training and for asking."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dbt_t2s.errors import ModelError
from dbt_t2s.model.hub_base import Base
from dbt_t2s.model.hub_language import check_alphabet, language_of
from dbt_t2s.model.hub_settings import HubSettings
from dbt_t2s.model.prompt import (
    Said,
    Wrong,
    answer_text,
    build_prompt,
    build_reading,
    plain_prompt,
)
from dbt_t2s.model.schema_lines import SchemaLines
from dbt_t2s.model.schema_reader import SchemaReader
from dbt_t2s.project.schema import ProjectSchema

_SMALLEST_SLICE = 300
_CHARACTERS = 4000  # of the schema, to see how many of them a token holds

_Build = Callable[[Sequence[str]], tuple[dict[str, str], ...]]


@dataclass(frozen=True)
class Encoded:
    """One example in tokens; ``answer`` ends with the end-of-sequence token."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


def fixed_lines(schema: ProjectSchema, context: str) -> tuple[str, ...]:
    """What every prompt tells of the schema, whatever the question is."""
    lines = SchemaLines(schema)
    return lines.everything() if context == "full" else (lines.header(),)


class Encoder:
    """The prompts of one project for one tokenizer."""

    def __init__(self, base: Base, schema: ProjectSchema, settings: HubSettings) -> None:
        self._tokenizer = base.tokenizer
        self._settings = settings
        longest = getattr(base.model.config, "max_position_embeddings", None)
        most = min(settings.max_tokens, int(longest or settings.max_tokens))
        # An encoder has a place of its own for the prompt.
        self._max_prompt = most if base.reads_apart else most - settings.max_answer
        added = self._tokenizer.added_tokens_decoder.values()
        self._special = tuple(token.content for token in added if token.special)
        bos, end = self._tokenizer.bos_token_id, int(self._tokenizer.eos_token_id)
        plain = [int(token) for token in self._tokenizer("a").input_ids]
        self._start = (int(bos),) if bos is not None and plain[0] == bos else ()
        self._close = (end,) if base.reads_apart and plain[-1] == end else ()
        self._reader: SchemaReader | None = None
        self._fixed: tuple[str, ...] = ()
        self._read(schema, base.name)
        self.language = language_of(settings.answers, schema)
        check_alphabet(self.language, self._tokenizer, base.name)

    def _read(self, schema: ProjectSchema, name: str) -> None:
        self._fixed = fixed_lines(schema, self._settings.schema_context)
        if self._settings.schema_context == "retrieved":
            self._reader = SchemaReader(schema)
            text = "\n".join(self._reader.lines.everything())[:_CHARACTERS]
            self._budget = int(self._settings.schema_tokens * len(text) / self._count(text))
        elif self._settings.schema_context == "full":
            tokens = self._count("\n".join(self._fixed))
            if tokens >= self._max_prompt:
                raise ModelError(
                    f"the whole schema takes {tokens:,} tokens, a prompt has {self._max_prompt:,}",
                    where=f"--schema-context full, {name}",
                    hint="--schema-context retrieved, or none",
                )

    def prompt(
        self, question: str, wrong: Wrong | None = None, before: Sequence[Said] = ()
    ) -> tuple[int, ...] | None:
        """The prompt's tokens, with a smaller slice of the schema where they are too many; None
        when the question, with the wrong answer to it if any, is too long alone.

        ``before`` is the conversation so far; its oldest turns go first where it is too long.
        """
        language = self._settings.answers
        about = " ".join((*(said.question for said in before), question))
        for kept in range(len(before) + 1):
            build = partial(
                build_prompt, question, wrong=wrong, language=language, before=before[kept:]
            )
            ids = self._fitting(about, build)
            if ids is not None:
                return ids
        return None

    def example(self, row: Mapping[str, str]) -> Encoded | None:
        """A training example (see ``train_hub``), or None when it is too long, or has no plan
        where plans are taught."""
        if row.get("reads"):
            sql = row["reads"]
            prompt = self._fitting(sql, lambda lines: build_reading(sql, lines))
            return self._encoded(prompt, row["question"])
        bad = row.get("wrong_sql", "")
        wrong = Wrong(bad, row["message"]) if bad else None
        # What mends is SQL in any language: it is the SQL that was wrong.
        sql = answer_text(row.get("sql", ""), row.get("refusal", ""))
        text = sql if wrong else self.language.taught(row)
        if text is None:
            return None
        before = tuple(Said(**said) for said in json.loads(row.get("before") or "[]"))
        return self._encoded(self.prompt(row["question"], wrong, before), text)

    def _fitting(self, about: str, build: _Build) -> tuple[int, ...] | None:
        if self._reader is None:
            ids = self._ids(build(self._fixed))
            return ids if len(ids) <= self._max_prompt else None
        budget = self._budget
        while True:
            lines = self._reader.slice(about, budget)
            told = self._count("\n".join(lines))
            if told <= self._settings.schema_tokens or budget <= _SMALLEST_SLICE:
                ids = self._ids(build(lines))
                if len(ids) <= self._max_prompt:
                    return ids
                if budget <= _SMALLEST_SLICE:
                    return None
                budget = max(budget // 2, _SMALLEST_SLICE)
            else:
                smaller = int(budget * 0.97 * self._settings.schema_tokens / told)
                budget = max(smaller, _SMALLEST_SLICE)

    def _count(self, text: str) -> int:
        return max(len(self._tokenizer(text, add_special_tokens=False).input_ids), 1)

    def _encoded(self, prompt: tuple[int, ...] | None, text: str) -> Encoded | None:
        ids = self._tokenizer(text, add_special_tokens=False).input_ids
        answer = (*map(int, ids), int(self._tokenizer.eos_token_id))
        if prompt is None or len(answer) > self._settings.max_answer:
            return None
        return Encoded(prompt, answer)

    def _ids(self, chat: Sequence[Mapping[str, str]]) -> tuple[int, ...]:
        messages = [{**message, "content": self._scrub(message["content"])} for message in chat]
        if not self._tokenizer.chat_template:
            ids = self._tokenizer(plain_prompt(messages), add_special_tokens=False).input_ids
            return (*self._start, *map(int, ids), *self._close)
        # Some templates print today's date or open a chain of thought unless told otherwise.
        text = self._tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
            date_string="01 Jan 2025",
        )
        ids = self._tokenizer(text, add_special_tokens=False).input_ids
        return (*map(int, ids), *self._close)

    def _scrub(self, text: str) -> str:
        """Docs and questions are data: they may not end a chat turn or open one."""
        for token in self._special:
            text = text.replace(token, " ")
        return text
