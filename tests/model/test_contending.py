"""Learning from the plans that a network finds itself."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch

from dbt_t2s.model.linking import stack
from dbt_t2s.model.network import Batch, PlanConfig
from dbt_t2s.model.recipe import WEIGHTS, new_network
from dbt_t2s.query.linear import REFUSAL
from tests.tools.pretrain.contend import (
    Contending,
    Contest,
    Settings,
    contest_loss,
    contests,
    log_likelihoods,
)

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "tests/tools/pretrain/projects/podcast_network"
LAID_OUT = torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 1, 2, 0, 1])


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[Contest]:
    """What the shipped network finds for some questions of one project, refusals among them."""
    folder = tmp_path_factory.mktemp("contests")
    (folder / "schemas").mkdir()
    (folder / "rows.jsonl").write_text("")
    shutil.copy(PROJECT.with_suffix(".yml"), folder)
    lines = PROJECT.with_suffix(".txt").read_text("utf-8").splitlines()
    refused = [line for line in lines if line.endswith("=> REFUSE")]
    chosen = [*lines[:14], *refused[:2]]
    (folder / f"{PROJECT.name}.txt").write_text("\n".join(chosen))
    return contests(folder, folder, WEIGHTS.parent, 16)


def test_every_question_has_a_right_plan_and_refusing_beside_others(given: list[Contest]) -> None:
    assert len(given) == 16
    assert sum(contest.right[-1] for contest in given) == 2
    for contest in given:
        assert any(contest.right)
        assert contest.ranked[-1] == 0
        assert len(set(contest.plans)) == len(contest.plans) == len(contest.ranked)
        assert not contest.right[-1] or sum(contest.right) == 1
    assert any(len(contest.plans) > 3 for contest in given)
    refuse = {contest.plans[-1] for contest in given}
    assert len(refuse) == 1 and len(refuse.pop()) == 1 + len(REFUSAL)


def test_plans_are_as_likely_as_the_network_says(given: list[Contest]) -> None:
    network = new_network(0, 0).train(False)
    with torch.inference_mode():
        together, of, place = log_likelihoods(network, given[:3])
        for at, contest in enumerate(given[:3]):
            batch = Batch(**stack([contest.linked]))
            batch.item_ids.zero_()
            memory = network.encode(batch)
            for number, plan in enumerate(contest.plans[:3]):
                tokens = torch.tensor([plan])
                logs = torch.log_softmax(network.decode(memory, tokens[:, :-1]), -1)
                alone = logs[0].gather(1, tokens[0, 1:, None]).sum()
                found = together[(of == at) & (place == number)]
                assert float(found) == pytest.approx(float(alone), abs=1e-3)


def contest(right: tuple[bool, ...], ranked: tuple[float, ...], given: Contest) -> Contest:
    return Contest(given.linked, ((1, 2, 3),) * len(right), right, ranked)


def test_the_loss_is_the_share_lost_to_wrong_plans_and_to_refusing(given: list[Contest]) -> None:
    """Two questions: one with plans of chance 0.5 (right) and 0.25, one that is to be refused."""
    chosen = [
        contest((True, False, False), (0.0, math.log(2), 0.0), given[0]),
        contest((False, True), (0.0, 0.0), given[0]),
    ]
    likely = torch.log(torch.tensor([0.5, 0.25, 0.05, 0.2, 0.6]))
    refusing = math.log(1 + 0.05 / 0.75) + math.log(1 + 0.2 / 0.6)
    ranking = math.log(2)  # the ranking makes both plans equal
    usual = -(math.log(0.5) + math.log(0.6)) / 6
    found = contest_loss(likely, *LAID_OUT, chosen, trust=1.0, usual=0.3)
    assert float(found) == pytest.approx((refusing + ranking) / 2 + 0.3 * usual, abs=1e-6)


def test_learning_puts_right_plans_first(given: list[Contest]) -> None:
    """Those of a network that knows nothing yet."""
    sizes = PlanConfig(hidden=32, heads=2, joint_layers=1, decoder_layers=1, inner=32)
    network = new_network(0, 0, None, sizes)
    run = Contending(network, given, Settings(16 * 40, 16, 3e-3, 0.3, 0))
    losses = [run.advance() for _ in range(run.settings.steps)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
