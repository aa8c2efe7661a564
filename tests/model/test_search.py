"""Beam search under the grammar: whatever the weights are, what comes out is a plan that runs."""

from __future__ import annotations

import pytest
import torch

from dbt_t2s.duck import Rows
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.model.linking import Linker, stack
from dbt_t2s.model.network import Batch, Memory, PlanNetwork, Unfolding
from dbt_t2s.model.recipe import new_network
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.model.search import Searched, search
from dbt_t2s.query.grammar import Grammar
from dbt_t2s.query.linear import KEYWORDS, from_tokens

QUESTIONS = (
    "revenue by country last month",
    "top 5 customers by number of orders",
    "how many orders had more than 3 pieces",
    "customers without any returned orders",
    "share of big orders per segment in 2025",
)


@torch.inference_mode()
def find(index: SchemaIndex, network: PlanNetwork, question: str, width: int = 4) -> Searched:
    (linked,) = Linker(index).link([question])
    memory = network.encode(Batch(**stack([linked])))
    grammar = Grammar(index.schema, index.binder.graph)
    return search(network, memory, [linked], grammar, width)[0]


def untrained(index: SchemaIndex, seed: int) -> PlanNetwork:
    """Random weights, but for a wish to come to an end."""
    network = new_network(len(index.items), seed, weights=None)
    with torch.no_grad():
        network.keyword_out.bias[KEYWORDS.index("END")] = 4.0
    network.train(False)
    return network


@pytest.mark.parametrize("seed", range(4))
def test_every_plan_found_parses_binds_and_runs(
    index: SchemaIndex, sandbox: Sandbox, seed: int
) -> None:
    network = untrained(index, seed)
    found = 0
    for question in QUESTIONS:
        made = find(index, network, question)
        chances = [plan.probability for plan in made.plans]
        assert chances == sorted(chances, reverse=True)
        assert all(0 <= chance <= 1 for chance in chances)
        assert len({plan.tokens for plan in made.plans}) == len(made.plans)
        for each in made.plans:
            assert each.tokens[-1] == "END"
            plan = from_tokens(each.tokens)
            assert plan is not None
            sql = index.binder.sql(plan)
            result = sandbox.execute(sql)
            assert isinstance(result, Rows), (each.tokens, sql, result)
            found += 1
    assert found >= len(QUESTIONS)


@torch.inference_mode()
def test_a_plan_written_token_by_token_scores_as_one_read_whole(index: SchemaIndex) -> None:
    network = untrained(index, 2)
    (linked,) = Linker(index).link([QUESTIONS[0]])
    memory = network.encode(Batch(**stack([linked])))
    items = len(KEYWORDS)
    tokens = torch.tensor([[1, 20, items + 2, items, 5], [1, items + 1, 9, 30, 2]])
    both = Memory(*(getattr(memory, n).expand(2, *[-1] * (getattr(memory, n).dim() - 1))
                    for n in ("states", "mask", "items", "item_mask", "before")))  # fmt: skip
    whole = network.decode(both, tokens)
    written = network.unfold(memory).of(torch.tensor([[0, 0]]))
    for at in range(tokens.shape[1]):
        scores, written = network.step(memory, written, tokens[None, :, at])
        torch.testing.assert_close(scores[0], whole[:, at], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_several_searched_at_once_find_what_each_finds_alone(index: SchemaIndex) -> None:
    """Questions of unequal length whose plans end at unequal times."""
    network = new_network(len(index.items), 0)
    network.train(False)
    linked = Linker(index).link([*QUESTIONS, "revenue"])
    memory = network.encode(Batch(**stack(linked)))
    assert not bool(memory.mask.all())
    grammar = Grammar(index.schema, index.binder.graph)
    together = search(network, memory, linked, grammar, 4)
    assert len({max(len(plan.tokens) for plan in each.plans) for each in together}) > 1
    for each, found in zip(linked, together, strict=True):
        (alone,) = search(network, network.encode(Batch(**stack([each]))), [each], grammar, 4)
        assert [plan.tokens for plan in found.plans] == [plan.tokens for plan in alone.plans]
        chances = [plan.probability for plan in alone.plans]
        assert [plan.probability for plan in found.plans] == pytest.approx(chances, rel=1e-2)
        assert found.refusal == pytest.approx(alone.refusal, rel=1e-2)


def test_refusing_is_a_probability_and_never_a_plan(index: SchemaIndex) -> None:
    network = untrained(index, 0)
    with torch.no_grad():
        network.keyword_out.bias[KEYWORDS.index("REFUSE")] = 50.0
    made = find(index, network, QUESTIONS[0])
    assert made.refusal > 0.99
    assert all("REFUSE" not in plan.tokens for plan in made.plans)
    with torch.no_grad():
        network.keyword_out.bias[KEYWORDS.index("REFUSE")] = -50.0
    assert find(index, network, QUESTIONS[0]).refusal < 0.01


def test_searching_twice_finds_the_same(index: SchemaIndex) -> None:
    network = untrained(index, 1)
    assert find(index, network, QUESTIONS[1]) == find(index, network, QUESTIONS[1])
    assert len(find(index, network, QUESTIONS[1], width=1).plans) <= 2


@torch.inference_mode()
def test_unlikely_short_plans_do_not_end_the_search_for_the_likeliest(
    index: SchemaIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network sure of a long plan leaves every other beam to end early."""
    (linked,) = Linker(index).link(["top 5 customers by number of orders"])
    names = [item.token for item in linked.items]
    count = ("COUNT", "t:orders")
    wanted = ("c:customers.customer_name", *count, "DESC", *count, "LIMIT", "n:5", "END")
    ids = [KEYWORDS.index(t) if t in KEYWORDS else len(KEYWORDS) + names.index(t) for t in wanted]
    network = untrained(index, 0)
    grow = network.step

    def sure(memory: Memory, so_far: Unfolding, tokens: torch.Tensor) -> object:
        scores, after = grow(memory, so_far, tokens)
        scores = torch.zeros_like(scores)
        scores[..., KEYWORDS.index("END")] = 6.0
        scores[..., ids[min(so_far.tokens, len(ids) - 1)]] = 12.0
        return scores, after

    monkeypatch.setattr(network, "step", sure)
    memory = network.encode(Batch(**stack([linked])))
    (made,) = search(network, memory, [linked], Grammar(index.schema, index.binder.graph), 2)
    assert made.plans[0].tokens == wanted and made.plans[0].probability > 0.9
