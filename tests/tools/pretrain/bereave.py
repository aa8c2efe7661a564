"""Questions that nothing answers, made of those that something does: what they ask for is hidden.

Written ones give themselves away by their style; of these only the schema tells.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dbt_t2s.model.network import Batch
from dbt_t2s.query.linear import KEYWORDS, SORTS

# How much each channel of ``Linked.word_item`` says that a word means an item: its full name, a
# part of it, a mention, its meaning, its description, its table's name.
_TELLS = torch.tensor((1.0, 0.7, 0.0, 0.9, 0.4, 0.0))
_TAKEN = tuple(SORTS.index(sort) for sort in ("c", "m", "r"))
_SAID = 0.4  # what is taken away is said by some word at least so well
_ALIKE = 0.8  # times as well does that word say what is hidden with it
_START, _REFUSE, _END = (KEYWORDS.index(word) for word in ("START", "REFUSE", "END"))


def bereave(batch: Batch, targets: Tensor, share: float) -> None:
    """Hide, in place, a column, metric or rule that the plan needs, for this share of questions.

    With it goes all that the word which says it best may mean instead; ``targets`` (B, T) then
    refuse.
    """
    rows = torch.arange(len(targets), device=targets.device)
    pointed = targets - len(KEYWORDS)
    items = pointed.clamp(min=0)
    sorts = batch.item_features[rows[:, None], items][..., list(_TAKEN)].amax(-1)
    alone = (batch.before == 0).all(1)  # what a plan before holds cannot be hidden
    able = (pointed >= 0) & (sorts > 0) & alone[:, None]
    chance = torch.rand(targets.shape, device=targets.device).masked_fill(~able, -1.0)
    taken = items[rows, chance.argmax(1)]
    tells = (batch.word_item.float() * _TELLS.to(targets.device)).amax(-1)
    tells = tells * batch.word_mask[..., None]
    said, word = tells[rows, :, taken].max(1)
    gone = able.any(1) & (said >= _SAID) & (torch.rand(len(rows), device=said.device) < share)
    alike = tells[rows, word] >= _ALIKE * said[:, None]
    alike[rows, taken] = True
    batch.item_mask &= ~(alike & gone[:, None])
    targets[gone] = 0
    for place, token in enumerate((_START, _REFUSE, _END)):
        targets[gone, place] = token
