"""The question encoder: all-MiniLM-L6-v2, shipped with the package, frozen.

Wang et al. 2020 (MiniLM), Reimers and Gurevych 2019 (Sentence-BERT): 6 layers, hidden size 384,
22.6M parameters here (the pooler is left out, positions are cut to 256), stored as fp16.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from dbt_t2s.errors import ModelError
from dbt_t2s.query.text import Word

WEIGHTS = Path(__file__).parent / "weights" / "encoder"
HIDDEN = 384
_BATCH = 64


@dataclass(frozen=True)
class Tokens:
    """One text's word pieces: ``states`` (pieces, 384) and the character span of each."""

    states: torch.Tensor
    spans: tuple[tuple[int, int], ...]
    pooled: torch.Tensor


class Encoder:
    """Reads texts on the CPU in float32; one instance a process is enough."""

    def __init__(self, directory: Path = WEIGHTS) -> None:
        self._check(directory)
        config = BertConfig(**json.loads((directory / "config.json").read_text()))
        with torch.device("meta"):
            self._model = BertModel(config, add_pooling_layer=False)
        weights = {k: v.float() for k, v in load_file(directory / "model.safetensors").items()}
        self._model.load_state_dict(weights, assign=True, strict=False)
        # Buffers made on the meta device hold nothing; these two are plain ranges.
        longest = config.max_position_embeddings
        embeddings = self._model.embeddings
        embeddings.register_buffer("position_ids", torch.arange(longest)[None], persistent=False)
        types = torch.zeros((1, longest), dtype=torch.long)
        embeddings.register_buffer("token_type_ids", types, persistent=False)
        self._model.train(False)
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.enable_truncation(config.max_position_embeddings)
        self._tokenizer.no_padding()

    @staticmethod
    def _check(directory: Path) -> None:
        """The weights are the ones this version was made with; ModelError if not."""
        weights, listed = directory / "model.safetensors", directory / "SHA256SUMS"
        if not weights.is_file() or not listed.is_file():
            raise ModelError(
                "the encoder's weights are missing",
                where=str(directory),
                hint="pip install --force-reinstall dbt-t2s",
            )
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        if digest not in listed.read_text():
            raise ModelError(
                "the encoder's weights are corrupted (checksum)",
                where=str(weights),
                hint="pip install --force-reinstall dbt-t2s",
            )

    @torch.inference_mode()
    def read(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> list[Tokens]:
        """Each text's token states, without [CLS] and [SEP], and its normalised mean vector."""
        encoded = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i].ids))
        found: dict[int, Tokens] = {}
        for at in range(0, len(order), _BATCH):
            rows = order[at : at + _BATCH]
            width = max(len(encoded[i].ids) for i in rows)
            ids = torch.zeros((len(rows), width), dtype=torch.long)
            mask = torch.zeros((len(rows), width), dtype=torch.long)
            for row, i in enumerate(rows):
                length = len(encoded[i].ids)
                ids[row, :length] = torch.tensor(encoded[i].ids)
                mask[row, :length] = 1
            states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
            for row, i in enumerate(rows):
                length = len(encoded[i].ids)
                mean = states[row, :length].mean(0)
                found[i] = Tokens(
                    states[row, 1 : length - 1].clone(),
                    tuple(encoded[i].offsets[1:-1]),
                    torch.nn.functional.normalize(mean, dim=0),
                )
            if progress:
                progress(min(at + _BATCH, len(order)), len(order))
        return [found[i] for i in range(len(texts))]

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Normalised sentence vectors, shape (texts, 384)."""
        if not texts:
            return torch.zeros((0, HIDDEN))
        return torch.stack([tokens.pooled for tokens in self.read(texts)])


def word_states(tokens: Tokens, spoken: Sequence[Word]) -> torch.Tensor:
    """Token states averaged per word, shape (words, 384); zeros for a word that was cut off."""
    states = torch.zeros((len(spoken), HIDDEN))
    for i, word in enumerate(spoken):
        inside = [
            k
            for k, (start, end) in enumerate(tokens.spans)
            if start < word.end and word.start < end
        ]
        if inside:
            states[i] = tokens.states[inside].mean(0)
    return states
