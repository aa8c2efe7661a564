"""The grammar at every step: tokens after which no answer could be right are not written.

The masks come from llguidance, an optional package; without it a model writes freely and what does
not bind is dropped afterwards.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from dbt_t2s.errors import ModelError


def is_available() -> bool:
    """Whether answers can be constrained here."""
    return find_spec("llguidance") is not None


class Constraint:
    """One grammar for one tokenizer; ``vocabulary`` is the number of the model's logits."""

    def __init__(self, lark: str, tokenizer: Any, vocabulary: int, base: str) -> None:
        import llguidance
        from llguidance.hf import from_tokenizer

        self._end = int(tokenizer.eos_token_id)
        try:
            words = from_tokenizer(tokenizer, n_vocab=max(vocabulary, len(tokenizer)))
            grammar = llguidance.LLMatcher.grammar_from_lark(lark)
            self._start = llguidance.LLMatcher(words, grammar)
            error = self._start.get_error()
        except (ValueError, RuntimeError) as failure:
            error = str(failure)
        if error:
            raise ModelError(
                f"the tokenizer cannot express the grammar: {error.splitlines()[0][:300]}",
                where=base,
                hint="pass a --base with a fast tokenizer, or train with --answers sql",
            )
        self._words = (max(vocabulary, len(tokenizer)) + 31) // 32
        self._executor = llguidance.LLExecutor()

    def masking(self, prompt: int) -> Masking:
        """What masks the logits of one batch whose answers begin after ``prompt`` tokens."""
        return Masking(self, prompt)

    def fresh(self) -> Any:
        """A matcher at the start of an answer."""
        return self._start.deep_copy()

    def masks(self, matchers: list[Any]) -> torch.Tensor:
        """(matchers, vocabulary) of what may come next, as booleans."""
        from llguidance.numpy import fill_next_token_bitmask_par

        bits = np.zeros((len(matchers), self._words), dtype=np.int32)
        fill_next_token_bitmask_par(
            self._executor, list(zip(matchers, range(len(matchers)), strict=True)), bits
        )
        held = torch.from_numpy(bits)
        return ((held[:, :, None] >> torch.arange(32, dtype=torch.int32)) & 1).flatten(1).bool()

    @property
    def end(self) -> int:
        return self._end


class Masking:
    """Follows every beam of a batch through the grammar; a ``LogitsProcessor`` of transformers."""

    def __init__(self, constraint: Constraint, prompt: int) -> None:
        self._constraint, self._prompt = constraint, prompt
        self._before: dict[tuple[int, ...], Any] = {}

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """The scores, minus infinity where the grammar is against it."""
        written = [tuple(row) for row in input_ids[:, self._prompt :].tolist()]
        here: dict[tuple[int, ...], Any] = {}
        for ids in written:
            if ids not in here:
                here[ids] = self._after(ids)
        self._before = here
        going = [ids for ids, matcher in here.items() if matcher is not None]
        masks = self._constraint.masks([here[ids] for ids in going]) if going else None
        place = {ids: at for at, ids in enumerate(going)}
        allowed = torch.zeros(scores.shape, dtype=torch.bool)
        for row, ids in enumerate(written):
            if masks is None or ids not in place:
                allowed[row, self._constraint.end] = True  # it is finished: fillers follow
            else:
                width = min(scores.shape[1], masks.shape[1])
                allowed[row, :width] = masks[place[ids], :width]
        return scores.masked_fill(~allowed.to(scores.device), -torch.inf)

    def _after(self, ids: tuple[int, ...]) -> Any:
        """The matcher after these tokens; None once the answer has ended."""
        if not ids:
            return self._constraint.fresh()
        parent = self._before.get(ids[:-1])
        if parent is None or ids[-1] == self._constraint.end:
            return None
        matcher = parent.deep_copy()
        return matcher if matcher.consume_token(ids[-1]) else None
