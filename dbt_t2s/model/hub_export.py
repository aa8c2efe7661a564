"""A trained hub model for other programs: an adapter, whole weights, or a GGUF file.

Beside the weights lie the prompt and, where the model writes plans, the grammar that its answers
were held to.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbt_t2s.errors import ModelError
from dbt_t2s.model.hub_base import Base, load_adapter, load_base
from dbt_t2s.model.hub_encoder import fixed_lines
from dbt_t2s.model.hub_found import ADAPTER, RECORD, TOKENIZER
from dbt_t2s.model.hub_generate import read_trained
from dbt_t2s.model.hub_language import language_of
from dbt_t2s.model.hub_settings import HubSettings
from dbt_t2s.model.prompt import build_prompt, plain_prompt
from dbt_t2s.project.schema import ProjectSchema

FORMATS = ("adapter", "merged", "gguf", "ollama")
GGUF = "model.gguf"
PROMPT = "prompt.txt"
GRAMMAR = "grammar.lark"
_QUESTION = "{question}"
_MARK = "QUESTION-GOES-HERE"


def export(
    model_dir: Path, schema: ProjectSchema, to: Path, form: str, say: Callable[[str], None]
) -> None:
    """Write the trained model into the folder ``to``; ModelError where the form does not fit it."""
    if form not in FORMATS:
        raise ModelError(
            f"there is no export format {form!r}",
            where=f"--format {form}",
            hint=f"--format {', '.join(FORMATS)}",
        )
    settings = read_trained(model_dir).settings
    if form == "adapter" and not settings.trains_adapter:
        raise ModelError(
            "the model was trained in full and has no adapter",
            where=str(model_dir),
            hint="dbt-t2s export --format merged",
        )
    to.mkdir(parents=True, exist_ok=True)
    if form == "adapter":
        shutil.copytree(model_dir / ADAPTER, to, dirs_exist_ok=True)
        shutil.copytree(model_dir / TOKENIZER, to, dirs_exist_ok=True)
    else:
        base, model = _merged(model_dir)
        if form == "merged":
            model.save_pretrained(str(to))
            base.tokenizer.save_pretrained(str(to))
        else:
            from dbt_t2s.model.hub_gguf import write_gguf

            write_gguf(model, base.tokenizer, to / GGUF, schema.project)
        if form == "ollama":
            text = modelfile(base.tokenizer, _template(schema, settings))
            (to / "Modelfile").write_text(text, "utf-8")
    _write_beside(model_dir, schema, settings, to, say)


def _merged(model_dir: Path) -> tuple[Base, Any]:
    base = load_base(str(model_dir))
    if not base.adapter:
        return base, base.model
    adapted: Any = load_adapter(base, model_dir / ADAPTER, trainable=False)
    return base, adapted.merge_and_unload()


def _write_beside(
    model_dir: Path,
    schema: ProjectSchema,
    settings: HubSettings,
    to: Path,
    say: Callable[[str], None],
) -> None:
    shutil.copy(model_dir / RECORD, to / "t2s.json")
    (to / PROMPT).write_text(_template(schema, settings) + "\n", "utf-8")
    if settings.schema_context == "retrieved":
        say(
            f"{PROMPT} tells no tables: which of them a question needs is looked up by dbt-t2s "
            "alone; a model trained with --schema-context none or full is served bare questions"
        )
    lark = language_of(settings.answers, schema).lark
    if lark:
        (to / GRAMMAR).write_text(lark, "utf-8")


def _template(schema: ProjectSchema, settings: HubSettings) -> str:
    """The message that asks a question, with ``{question}`` in its place."""
    lines = fixed_lines(schema, settings.schema_context)
    return build_prompt(_QUESTION, lines, language=settings.answers)[0]["content"]


def modelfile(tokenizer: Any, template: str) -> str:
    """Ollama's Modelfile: bare questions go in, the prompt is wrapped around them there."""
    messages = [{"role": "user", "content": template.replace(_QUESTION, _MARK)}]
    if tokenizer.chat_template:
        whole = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    else:
        whole = plain_prompt(messages)
    # Braces of the prompt itself must not be read as the template language's.
    quoted = whole.replace("{{", '{{ "{{" }}').replace(_MARK, "{{ .Prompt }}")
    stop = json.dumps(str(tokenizer.eos_token), ensure_ascii=False)
    return (
        f'FROM ./{GGUF}\nTEMPLATE """{quoted}"""\nPARAMETER temperature 0\n'
        f"PARAMETER repeat_penalty 1\nPARAMETER stop {stop}\n"
    )
