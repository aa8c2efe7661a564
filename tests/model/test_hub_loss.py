"""The loss: the answers' alone, the same however rows are packed, padded or cut."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import GPT2Config, GPT2LMHeadModel

from dbt_t2s.model.hub_base import load_base
from dbt_t2s.model.hub_encoder import Encoded
from dbt_t2s.model.hub_loss import AnswerLoss, can_pack, micro_batches
from tests.model import tiny

CPU = torch.device("cpu")
EXAMPLES = [
    Encoded((5, 6, 7, 8, 9), (10, 11)),
    Encoded((5,), (12, 13, 14, 15)),
    Encoded((3, 4), (1,)),
]


@pytest.fixture(scope="module", name="models")
def models_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.nn.Module]:
    """One of each architecture, with a fresh adapter where rows can be packed."""
    torch.manual_seed(0)
    made: dict[str, torch.nn.Module] = {}
    for kind in tiny.ARCHITECTURES:
        folder = tiny.make_base(kind, tmp_path_factory.mktemp(kind))
        base = load_base(str(folder)).model
        task = "SEQ_2_SEQ_LM" if kind == "t5" else "CAUSAL_LM"
        lora = LoraConfig(r=4, target_modules="all-linear", task_type=task, init_lora_weights=False)
        made[kind] = get_peft_model(base, lora).train(False)
    small = GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=2)
    made["gpt2"] = GPT2LMHeadModel(small).train(False)
    return made


def _alone(model: torch.nn.Module, row: Encoded) -> float:
    """The loss as transformers itself computes it, of one row and nothing around it."""
    ids = torch.tensor([[*row.prompt, *row.answer]])
    labels = ids.clone()
    labels[0, : len(row.prompt)] = -100
    if model.config.is_encoder_decoder:  # type: ignore[union-attr]
        ids, labels = torch.tensor([row.prompt]), torch.tensor([row.answer])
    return float(model(input_ids=ids, labels=labels).loss.item()) * len(row.answer)


@pytest.mark.parametrize("kind", [*tiny.ARCHITECTURES, "gpt2"])
def test_the_loss_is_the_answers_alone_packed_or_padded(
    models: dict[str, torch.nn.Module], kind: str
) -> None:
    model = models[kind]
    with torch.no_grad():
        expected = sum(_alone(model, row) for row in EXAMPLES)
        packed = AnswerLoss(model, CPU, packing=True)
        assert packed.packs == (kind != "t5")
        assert packed(EXAMPLES).item() == pytest.approx(expected, rel=1e-5)
        padded = AnswerLoss(model, CPU)
        assert not padded.packs
        assert padded(EXAMPLES).item() == pytest.approx(expected, rel=1e-5)
        parts = micro_batches(EXAMPLES, 8, padded)
        assert len(parts) > 1
        assert sum(padded(part).item() for part in parts) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "llama"])
def test_packed_rows_give_the_gradients_of_rows_alone(
    models: dict[str, torch.nn.Module], kind: str
) -> None:
    model = models[kind]
    gradients: list[torch.Tensor] = []
    for packing in (True, False):
        model.zero_grad()
        AnswerLoss(model, CPU, packing=packing)(EXAMPLES).backward()  # type: ignore[no-untyped-call]
        trained = [weight.grad for weight in model.parameters() if weight.grad is not None]
        gradients.append(torch.cat([gradient.flatten() for gradient in trained]))
    assert gradients[0].abs().max() > 0
    assert torch.allclose(gradients[0], gradients[1], atol=1e-4, rtol=1e-3)


def test_a_model_whose_attention_mixes_packed_rows_is_not_packed(base_dir: Path) -> None:
    model = load_base(str(base_dir)).model
    assert can_pack(model)
    usual = model.forward

    def mixes(input_ids=None, position_ids=None, logits_to_keep=0, **options):  # type: ignore[no-untyped-def]
        return usual(input_ids=input_ids, logits_to_keep=logits_to_keep, **options)

    model.forward = mixes
    assert not can_pack(model)


def test_parts_stay_under_the_limit_and_lose_no_row(models: dict[str, torch.nn.Module]) -> None:
    rows = [Encoded((1,) * length, (2,)) for length in (9, 2, 30, 5, 5, 14)]
    for packing in (True, False):
        loss = AnswerLoss(models["llama"], CPU, packing=packing)
        parts = micro_batches(rows, 20, loss)
        assert sorted(len(row) for part in parts for row in part) == sorted(map(len, rows))
        for part in parts:
            width = max(map(len, part))
            size = sum(map(len, part)) if packing else len(part) * width
            assert size <= 20 or len(part) == 1
