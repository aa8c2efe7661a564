"""A follow-up's network is shown the plan of the question before, and can copy from it."""

from __future__ import annotations

import pytest
import torch

from dbt_t2s.model.linking import MOST_BEFORE, Linked, Linker, stack
from dbt_t2s.model.network import Batch, PlanConfig, PlanNetwork
from dbt_t2s.model.recipe import Recipe, blur, new_network
from dbt_t2s.model.rows import target_of
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query.linear import KEYWORDS

BEFORE = ("SUM", "c:orders.net_amount", "WHERE", "v:orders.status=returned", "END")
SAID = "and the returned ones by market?"


@pytest.fixture(scope="module")
def network(index: SchemaIndex) -> PlanNetwork:
    made = new_network(len(index.items), 0, weights=None)
    with torch.no_grad():
        made.before.weight.normal_()
    made.train(False)
    return made


def linked(index: SchemaIndex, text: str = SAID, before: tuple[str, ...] = BEFORE) -> Linked:
    return Linker(index).link([text], None, [before])[0]


def tokens_of(one: Linked) -> list[str]:
    names = [*KEYWORDS, *(item.token for item in one.items)]
    return [names[each] for each in one.before]


def test_the_plan_before_is_told_in_ids_of_the_question(index: SchemaIndex) -> None:
    assert tokens_of(linked(index)) == list(BEFORE)
    assert linked(index, before=()).before == ()


def test_what_no_word_mentions_is_brought_along(index: SchemaIndex) -> None:
    """The condition stays even where the value was said otherwise, and no word points at it."""
    one = linked(index, "and by market?")
    at = [item.token for item in one.items].index("v:orders.status=returned")
    assert tokens_of(one) == list(BEFORE)
    assert not one.word_item[:, at, 2].any()
    again = linked(index)
    assert [item.token for item in again.items].count("v:orders.status=returned") == 1


def test_a_plan_too_long_to_be_read_is_not_told(index: SchemaIndex) -> None:
    long = (*BEFORE[:2] * 40, *BEFORE[2:])
    assert len(long) > MOST_BEFORE and linked(index, before=long).before == ()
    assert PlanConfig().longest_plan > MOST_BEFORE


@torch.inference_mode()
def test_plans_after_others_score_the_same_in_a_batch(
    index: SchemaIndex, network: PlanNetwork
) -> None:
    several = [
        linked(index),
        linked(index, before=("COUNT", "t:orders", "END")),
        linked(index, before=()),
    ]
    tokens = torch.tensor([[1, 20, len(KEYWORDS) + 2, 5]])
    memory = network.encode(Batch(**stack(several)))
    together = network.decode(memory, tokens.expand(3, -1))
    for row, one in enumerate(several):
        alone = network.decode(network.encode(Batch(**stack([one]))), tokens)[0]
        torch.testing.assert_close(together[row, :, : alone.shape[1]], alone, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_a_plan_written_token_by_token_has_read_the_one_before(
    index: SchemaIndex, network: PlanNetwork
) -> None:
    memory = network.encode(Batch(**stack([linked(index)])))
    tokens = torch.tensor([[1, 20, len(KEYWORDS) + 2, 5], [1, 9, 30, 2]])
    whole = network.decode(memory.repeated(2), tokens)
    written = network.unfold(memory).of(torch.tensor([[0, 0]]))
    for at in range(tokens.shape[1]):
        scores, written = network.step(memory, written, tokens[None, :, at])
        torch.testing.assert_close(scores[0], whole[:, at], atol=1e-4, rtol=0)
    other = network.encode(Batch(**stack([linked(index, before=())])))
    assert not torch.allclose(network.decode(other.repeated(2), tokens), whole, atol=1e-2)


@torch.inference_mode()
def test_plans_after_others_are_written_the_same_in_a_batch(
    index: SchemaIndex, network: PlanNetwork
) -> None:
    several = [
        linked(index),
        linked(index, "orders", before=("COUNT", "t:orders", "END")),
        linked(index, before=()),
    ]
    tokens = torch.tensor([[1, 20, len(KEYWORDS) + 2, 5], [1, 9, 30, 2]])
    memory = network.encode(Batch(**stack(several)))
    written = network.unfold(memory).of(torch.tensor([[0, 0], [1, 1], [2, 2]]))
    going = [0, 1, 2]
    for at in range(tokens.shape[1]):
        if at == 2:  # the second question's plans are done
            going, kept = [0, 2], torch.tensor([0, 2])
            memory, written = memory.of(kept), written.about(kept)
            written = written.of(torch.tensor([[0, 1], [4, 5]]))
        scores, written = network.step(memory, written, tokens[:, at].expand(len(going), 2))
        for row, question in enumerate(going):
            own = network.encode(Batch(**stack([several[question]])))
            whole = network.decode(own.repeated(2), tokens)[:, at]
            torch.testing.assert_close(scores[row, :, : whole.shape[1]], whole, atol=1e-4, rtol=0)


def test_items_of_the_plan_before_are_never_hidden(index: SchemaIndex) -> None:
    one = linked(index)
    batch = Batch(**stack([one] * 64))
    target = target_of(("COUNT", "t:orders", "END"), one)
    assert target is not None
    blur(batch, torch.tensor([target] * 64), Recipe(fewer=1.0))
    kept = [each - len(KEYWORDS) for each in (*one.before, *target) if each >= len(KEYWORDS)]
    assert batch.item_mask[:, kept].all() and not batch.item_mask.all()


def test_weights_that_were_not_taught_it_are_not_told(index: SchemaIndex) -> None:
    shipped = new_network(len(index.items), 0)
    assert shipped.reads_before
    with torch.no_grad():
        shipped.before.weight.zero_()
    assert not shipped.reads_before
    assert not new_network(len(index.items), 0, weights=None).reads_before
