"""The embedded model's network: question words and schema items in, plan tokens out.

Shapes: B questions, W words, I items, S = W + I, T plan tokens, P tokens of the plan before, K
keywords, D ``hidden``.

- ``joint``: a few transformer layers over words and items together, in which how a word matches
  an item (and how two items relate) biases attention (relation-aware attention, after RAT-SQL,
  Wang et al. 2020, with relations as scalar biases per head);
- ``decoder``: causal layers whose next token is a keyword or a pointer to an item (pointer
  networks, Vinyals et al. 2015). A pointed item's joint state is the next step's input. A
  follow-up's plan is written after that of the question before, to be copied from, where the
  weights were taught so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from dbt_t2s.model.attention import Attention, Past, additive
from dbt_t2s.query.linear import KEYWORDS


class PlanConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """Sizes of a ``PlanNetwork``; ``schema_items`` counts the items with a residual vector."""

    model_type = "dbt_t2s_plan"

    def __init__(
        self,
        hidden: int = 384,
        heads: int = 8,
        joint_layers: int = 5,
        decoder_layers: int = 2,
        inner: int = 1024,
        encoder_hidden: int = 384,
        word_item_relations: int = 6,
        item_item_relations: int = 6,
        item_features: int = 40,
        question_features: int = 4,
        schema_items: int = 0,
        longest_plan: int = 64,
        keywords: int = len(KEYWORDS),
        dropout: float = 0.1,
        layer_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self.hidden = hidden
        self.heads = heads
        self.joint_layers = joint_layers
        self.decoder_layers = decoder_layers
        self.inner = inner
        self.encoder_hidden = encoder_hidden
        self.word_item_relations = word_item_relations
        self.item_item_relations = item_item_relations
        self.item_features = item_features
        self.question_features = question_features
        self.schema_items = schema_items
        self.longest_plan = longest_plan
        self.keywords = keywords
        self.dropout = dropout
        self.layer_dropout = layer_dropout
        super().__init__(**kwargs)


@dataclass
class Batch:
    """Questions as tensors.

    ``words`` (B, W, 384), ``word_mask`` (B, W); ``item_vectors`` (B, I, 384), ``item_features``
    (B, I, F), ``item_ids`` (B, I; 0 for none), ``item_mask`` (B, I); ``word_item`` (B, W, I, R),
    ``item_item`` (B, I, I, R2); ``question`` (B, Q); ``before`` (B, P) the plan that a follow-up
    comes after, padded with PAD (0).
    """

    words: Tensor
    word_mask: Tensor
    item_vectors: Tensor
    item_features: Tensor
    item_ids: Tensor
    item_mask: Tensor
    word_item: Tensor
    item_item: Tensor
    question: Tensor
    before: Tensor


@dataclass
class Memory:
    """What the decoder reads: ``states`` (B, S, D), ``items`` (B, I, D), their masks and the plans
    ``before`` (B, P)."""

    states: Tensor
    mask: Tensor
    items: Tensor
    item_mask: Tensor
    before: Tensor

    def repeated(self, count: int) -> Memory:
        """The memory of one question, for ``count`` plans of it."""
        return Memory(*(part.expand(count, *part.shape[1:]) for part in self._parts))

    def of(self, questions: Tensor) -> Memory:
        """The memory of the given questions alone."""
        return Memory(*(part[questions] for part in self._parts))

    @property
    def _parts(self) -> tuple[Tensor, ...]:
        return (self.states, self.mask, self.items, self.item_mask, self.before)


def _feed_forward(config: PlanConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(config.hidden, config.inner),
        nn.GELU(),
        nn.Linear(config.inner, config.hidden),
    )


class JointLayer(nn.Module):
    """Pre-norm self-attention over words and items with relation biases."""

    def __init__(self, config: PlanConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.hidden)
        self.attention = Attention(config.hidden, config.heads)
        self.inner_norm = nn.LayerNorm(config.hidden)
        self.inner = _feed_forward(config)
        self.word_to_item = nn.Linear(config.word_item_relations, config.heads, bias=False)
        self.item_to_word = nn.Linear(config.word_item_relations, config.heads, bias=False)
        self.item_to_item = nn.Linear(config.item_item_relations, config.heads, bias=False)
        self.drop = nn.Dropout(config.layer_dropout)

    @property
    def relations(self) -> Tensor:
        """What each relation adds to each head's attention (H, 2 R + R2)."""
        kinds = (self.word_to_item, self.item_to_word, self.item_to_item)
        return torch.cat([kind.weight for kind in kinds], 1)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        normed = self.norm(x)
        x = x + self.drop(self.attention(normed, normed, bias))
        made: Tensor = x + self.drop(self.inner(self.inner_norm(x)))
        return made


def _relations(batch: Batch) -> Tensor:
    """How every two words and items relate (2 R + R2, B, S, S): from words to items, from items to
    words and between items."""
    count, words, items, kinds = batch.word_item.shape
    size = words + items
    made = batch.word_item.new_zeros(2 * kinds + batch.item_item.shape[3], count, size, size)
    made[:kinds, :, :words, words:] = batch.word_item.permute(3, 0, 1, 2)
    made[kinds : 2 * kinds, :, words:, :words] = batch.word_item.permute(3, 0, 2, 1)
    made[2 * kinds :, :, words:, words:] = batch.item_item.permute(3, 0, 1, 2)
    return made


@dataclass
class Unfolding:
    """R plans of each of B questions being written: what each decoder layer has read of them.

    ``tokens`` are written so far; ``past`` (B * R rows) belongs to the plans, ``cross`` (B) to the
    questions, and so do ``pointers`` (B, I, D), what their items are pointed at by, and ``hidden``
    (B, S) and ``earlier`` (B, P), what to add to attention where questions, or the plans before
    them, differ in length (None: they do not).
    """

    past: tuple[Past, ...]
    cross: tuple[Past, ...]
    pointers: Tensor
    hidden: Tensor | None = None
    earlier: Tensor | None = None
    tokens: int = 0

    def of(self, plans: Tensor) -> Unfolding:
        """The state for plans that go on from the given ones (B, R), places among the B * R."""
        rows = plans.flatten()
        return replace(self, past=tuple(each.of(rows) for each in self.past))

    def about(self, questions: Tensor) -> Unfolding:
        """The given questions' state, before ``of`` picks their plans."""
        return replace(
            self,
            cross=tuple(each.of(questions) for each in self.cross),
            pointers=self.pointers[questions],
            hidden=None if self.hidden is None else self.hidden[questions],
            earlier=None if self.earlier is None else self.earlier[questions],
        )


class DecoderLayer(nn.Module):
    """Pre-norm causal self-attention and attention to the memory."""

    def __init__(self, config: PlanConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.hidden)
        self.attention = Attention(config.hidden, config.heads)
        self.cross_norm = nn.LayerNorm(config.hidden)
        self.cross = Attention(config.hidden, config.heads)
        self.inner_norm = nn.LayerNorm(config.hidden)
        self.inner = _feed_forward(config)
        self.drop = nn.Dropout(config.layer_dropout)

    def forward(self, x: Tensor, causal: Tensor, memory: Memory, bias: Tensor) -> Tensor:
        normed = self.norm(x)
        x = x + self.drop(self.attention(normed, normed, causal))
        x = x + self.drop(self.cross(self.cross_norm(x), memory.states, bias))
        made: Tensor = x + self.drop(self.inner(self.inner_norm(x)))
        return made

    def reads(self, memory: Memory) -> Past:
        """The memory's keys and values, the same for every token."""
        return Past(*self.cross.read(memory.states))

    def step(
        self, x: Tensor, past: Past, cross: Past, bias: Tensor | None, hidden: Tensor | None
    ) -> tuple[Tensor, Past]:
        """One more token of each plan (B, R, D) after those whose keys and values are ``past``.

        ``bias`` (B * R, 1, 1, T) and ``hidden`` (B, 1, 1, S) are added to the attention to these
        and to the memory.
        """
        normed = self.norm(x).view(-1, 1, x.shape[2])
        key, value = self.attention.read(normed)
        past = Past(torch.cat((past.keys, key), 2), torch.cat((past.values, value), 2))
        x = x + self.attention.attend(normed, past.keys, past.values, bias).view(x.shape)
        x = x + self.cross.attend(self.cross_norm(x), cross.keys, cross.values, hidden)
        made: Tensor = x + self.inner(self.inner_norm(x))
        return made, past


class PlanNetwork(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Scores plan tokens: keywords 0..K-1, then the items in the batch's order."""

    config_class = PlanConfig
    base_model_prefix = "plan"

    def __init__(self, config: PlanConfig) -> None:
        super().__init__(config)
        d = config.hidden
        self.word_in = nn.Linear(config.encoder_hidden, d)
        self.item_in = nn.Linear(config.encoder_hidden, d)
        self.feature_in = nn.Sequential(
            nn.Linear(config.item_features, d), nn.GELU(), nn.Linear(d, d)
        )
        self.question_in = nn.Linear(config.question_features, d)
        self.residual = nn.Embedding(config.schema_items + 1, d, padding_idx=0)
        self.sides = nn.Embedding(2, d)
        self.before = nn.Embedding(2, d)  # items, and tokens, of the plan before
        self.joint = nn.ModuleList(JointLayer(config) for _ in range(config.joint_layers))
        self.joint_norm = nn.LayerNorm(d)
        self.keyword = nn.Embedding(config.keywords, d)
        self.position = nn.Embedding(config.longest_plan, d)
        self.pointed = nn.Linear(d, d)
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.decoder_norm = nn.LayerNorm(d)
        self.keyword_out = nn.Linear(d, config.keywords)
        self.pointer_query = nn.Linear(d, d)
        self.pointer_key = nn.Linear(d, d)
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif module is getattr(self, "before", None):
            nn.init.zeros_(self.before.weight)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.05)
            if module.padding_idx is not None:
                with torch.no_grad():
                    module.weight[module.padding_idx].zero_()
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)

    @property
    def reads_before(self) -> bool:
        """Whether training has taught it to read the plan before; until then there are zeros."""
        return bool(self.before.weight.any())

    def encode(self, batch: Batch) -> Memory:
        """Words and items read together."""
        words = self.word_in(batch.words) + self.sides.weight[0]
        words = words + self.question_in(batch.question)[:, None]
        items = self.item_in(batch.item_vectors) + self.feature_in(batch.item_features)
        items = items + self.residual(batch.item_ids) + self.sides.weight[1]
        items = items + self._was_used(batch)[..., None] * self.before.weight[0]
        mask = torch.cat((batch.word_mask, batch.item_mask), 1)
        x = self.dropout(torch.cat((words, items), 1))
        for layer, bias in zip(self.joint, self._biases(batch, mask), strict=True):
            x = layer(x, bias)
        x = self.joint_norm(x)
        return Memory(x, mask, x[:, words.shape[1] :], batch.item_mask, batch.before)

    def _biases(self, batch: Batch, mask: Tensor) -> Iterator[Tensor]:
        """What relations and the mask (B, S) add to each joint layer's attention (B, H, S, S).

        For all layers at once: many small products take longer than one.
        """
        relations = _relations(batch)
        weights = torch.cat([layer.relations for layer in self._joint()])
        shown = (weights @ relations.flatten(1)).view(-1, *relations.shape[1:])
        shown = shown + additive(mask)[:, None]
        for each in shown.view(len(self.joint), self.config.heads, *shown.shape[1:]):
            yield each.transpose(0, 1)

    def _joint(self) -> Iterator[JointLayer]:
        for layer in self.joint:
            assert isinstance(layer, JointLayer)
            yield layer

    def _was_used(self, batch: Batch) -> Tensor:
        """1 for the items (B, I) of the plan before."""
        pointed = (batch.before - self.config.keywords).clamp(min=-1) + 1
        count, items = batch.item_mask.shape
        used = torch.zeros(count, items + 1, device=pointed.device)
        return used.scatter_(1, pointed, 1.0)[:, 1:]

    def decode(self, memory: Memory, tokens: Tensor) -> Tensor:
        """Scores (B, T, K + I) for what follows each of ``tokens`` (B, T)."""
        earlier = memory.before.shape[1]
        x = torch.cat((self._earlier(memory), self._placed(memory, tokens)), 1)
        x = self.dropout(x)
        steps = x.shape[1]
        allowed = torch.ones(steps, steps, dtype=torch.bool, device=x.device).tril()
        written = torch.cat((memory.before > 0, torch.ones_like(tokens, dtype=torch.bool)), 1)
        causal = additive(allowed[None] & written[:, None])[:, None]
        bias = additive(memory.mask)[:, None, None, :].expand(-1, -1, steps, -1)
        for layer in self.decoder:
            x = layer(x, causal, memory, bias)
        return self._scores(memory, self.pointer_key(memory.items), x[:, earlier:])

    def _placed(self, memory: Memory, tokens: Tensor) -> Tensor:
        """What a decoder reads of plan tokens (B, T) from the first on, (B, T, D)."""
        rows = torch.arange(len(tokens), device=tokens.device)[:, None]
        placed: Tensor = self._embedded(memory, tokens, rows)
        return placed + self.position.weight[: tokens.shape[1]]

    def _earlier(self, memory: Memory) -> Tensor:
        return self._placed(memory, memory.before) + self.before.weight[1]

    def _embedded(self, memory: Memory, tokens: Tensor, rows: Tensor) -> Tensor:
        k = self.config.keywords
        pointed = self.pointed(memory.items[rows, (tokens - k).clamp(min=0)])
        keyword = self.keyword(tokens.clamp(max=k - 1))
        return torch.where((tokens >= k)[..., None], pointed, keyword)

    def _layers(self) -> Iterator[DecoderLayer]:
        for layer in self.decoder:
            assert isinstance(layer, DecoderLayer)
            yield layer

    def unfold(self, memory: Memory) -> Unfolding:
        """One plan of each question, nothing of it written yet."""
        cross = tuple(layer.reads(memory) for layer in self._layers())
        past = tuple(Past(c.keys[:, :, :0], c.values[:, :, :0]) for c in cross)
        if memory.before.shape[1]:
            past = self._past(memory)
        hidden, earlier = (
            None if bool(mask.all()) else additive(mask)
            for mask in (memory.mask, memory.before > 0)
        )
        return Unfolding(past, cross, self.pointer_key(memory.items), hidden, earlier)

    def _past(self, memory: Memory) -> tuple[Past, ...]:
        """What each decoder layer has read of the plan before."""
        x = self._earlier(memory)
        steps = x.shape[1]
        allowed = torch.ones(steps, steps, dtype=torch.bool).tril()
        causal = additive(allowed[None] & (memory.before > 0)[:, None])[:, None]
        bias = additive(memory.mask)[:, None, None, :].expand(-1, -1, steps, -1)
        past = []
        for layer in self._layers():
            past.append(Past(*layer.attention.read(layer.norm(x))))
            x = layer(x, causal, memory, bias)
        return tuple(past)

    def step(self, memory: Memory, so_far: Unfolding, tokens: Tensor) -> tuple[Tensor, Unfolding]:
        """Scores (B, R, K + I) for what follows ``tokens`` (B, R), each the next of one plan."""
        rows = torch.arange(len(tokens))[:, None]
        x = self._embedded(memory, tokens, rows) + self.position.weight[so_far.tokens]
        hidden, bias = so_far.hidden, None
        if hidden is not None:
            hidden = hidden[:, None, None, :]
        if so_far.earlier is not None:
            shown = nn.functional.pad(so_far.earlier, (0, so_far.tokens + 1))
            bias = shown.repeat_interleave(tokens.shape[1], 0)[:, None, None, :]
        past = []
        for layer, before, cross in zip(self._layers(), so_far.past, so_far.cross, strict=True):
            x, after = layer.step(x, before, cross, bias, hidden)
            past.append(after)
        after_it = replace(so_far, past=tuple(past), tokens=so_far.tokens + 1)
        return self._scores(memory, so_far.pointers, x), after_it

    def _scores(self, memory: Memory, keys: Tensor, x: Tensor) -> Tensor:
        x = self.decoder_norm(x)
        pointers = self.pointer_query(x) @ keys.transpose(1, 2)
        pointers = pointers / self.config.hidden**0.5
        pointers = pointers.masked_fill(~memory.item_mask[:, None], -1e9)
        return torch.cat((self.keyword_out(x), pointers), -1)

    def forward(self, batch: Batch, tokens: Tensor) -> Tensor:
        """Mean cross-entropy of ``tokens`` (B, T): START …END, padded with PAD (0)."""
        scores = self.decode(self.encode(batch), tokens[:, :-1])
        return nn.functional.cross_entropy(
            scores.flatten(0, 1), tokens[:, 1:].flatten(), ignore_index=0
        )
