"""The pretraining tools, from a written project to a network that learned from it."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch

from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import Linker, stack
from dbt_t2s.model.network import PlanConfig
from dbt_t2s.model.recipe import new_network
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query.linear import KEYWORDS
from tests.tools.pretrain.bereave import bereave
from tests.tools.pretrain.dropping import DrawnDropout, draw_once
from tests.tools.pretrain.misses import Misses
from tests.tools.pretrain.resident import Resident
from tests.tools.pretrain.retell import Sizes, invented_tellings
from tests.tools.pretrain.run import Pretraining, ReadingNetwork, Settings
from tests.tools.pretrain.synonyms import replaced, with_synonyms
from tests.tools.pretrain.tellings import Telling, read, write

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "tests/tools/pretrain/projects/podcast_network.yml"


@pytest.fixture(scope="module")
def tellings() -> list[Telling]:
    """A written project as it is and under other names, some questions each; one held out."""

    def few(telling: Telling) -> Telling:
        follow_ups = [q for q in telling.questions if q.before]
        return replace(telling, questions=(*telling.questions[:6], *follow_ups[:2]))

    made = [few(telling) for telling in invented_tellings(PROJECT, Sizes(1, 12))]
    return [*made, replace(made[0], held="invented")]


@pytest.fixture(scope="module")
def packed(tellings: list[Telling], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    told, texts = folder / "tellings.jsonl.xz", folder / "texts"
    write(told, tellings)
    for tool, *given in (("texts", told, texts), ("pack", told, texts, folder)):
        command = [sys.executable, "-m", f"tests.tools.pretrain.{tool}", *map(str, given)]
        subprocess.run([*command, "--processes", "1"], cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def rows(packed: Path) -> Resident:
    return Resident((packed,), Encoder(reader=None), torch.device("cpu"))


def test_tellings_come_back_as_they_were_written(tellings: list[Telling], tmp_path: Path) -> None:
    write(tmp_path / "t", tellings)
    assert list(read(tmp_path / "t")) == tellings


def test_a_retold_project_has_the_same_questions_under_other_names(
    tellings: list[Telling],
) -> None:
    plain, retold = tellings[0], tellings[1]
    assert [q.text for q in plain.questions] == [q.text for q in retold.questions]
    assert {t.name for t in plain.schema.tables} != {t.name for t in retold.schema.tables} or {
        c.name for t in plain.schema.tables for c in t.columns
    } != {c.name for t in retold.schema.tables for c in t.columns}


def test_values_meant_in_other_words_are_asked_for_or_held_out_by_themselves() -> None:
    def meant_of(name: str) -> tuple[set[str], list[Telling]]:
        path = PROJECT.with_name(f"{name}.meant")
        lines = path.read_text("utf-8").splitlines()
        told = invented_tellings(path.with_suffix(".yml"), Sizes(0, 0))
        return {line.rpartition("=>")[0].strip() for line in lines}, told

    wanted, told = meant_of("ice_cream_vans")
    assert wanted <= {q.text for q in told[0].questions} and told[0].held == ""
    wanted, told = meant_of("hotel_group")
    assert [wanted == {q.text for q in t.questions} for t in told if t.held == "meant"] == [True]


def test_a_batch_is_what_the_linker_makes_of_the_questions(
    rows: Resident, tellings: list[Telling]
) -> None:
    telling = tellings[-1]
    encoder = Encoder(reader=None)
    index = SchemaIndex(telling.schema, encoder, date.fromisoformat(telling.today))
    asked = telling.questions
    linked = Linker(index).link(
        [q.text for q in asked], [q.tokens for q in asked], [q.before for q in asked]
    )
    wanted = stack(linked)
    batch, _ = rows.batch(rows.sets["invented"])
    w, i = wanted["words"].shape[1], wanted["item_vectors"].shape[1]
    assert batch.word_mask[:, :w].equal(wanted["word_mask"])
    assert batch.item_mask[:, :i].equal(wanted["item_mask"])
    assert not batch.word_mask[:, w:].any() and not batch.item_mask[:, i:].any()
    assert torch.allclose(batch.word_item[:, :w, :i], wanted["word_item"].clamp(0, 1), atol=3e-3)
    assert torch.allclose(batch.item_features[:, :i], wanted["item_features"], atol=2e-2)
    assert batch.item_item[:, :i, :i].equal(wanted["item_item"])
    assert torch.allclose(batch.item_vectors[:, :i], wanted["item_vectors"], atol=2e-3)
    assert batch.before.equal(wanted["before"]) and batch.before.any()
    read_words = torch.bmm(batch.shares, encoder.reader(batch.embedded, batch.piece_mask))
    assert torch.allclose(read_words[:, :w], wanted["words"], atol=3e-2)


def test_what_follows_up_nothing_can_be_met_oftener(packed: Path, rows: Resident) -> None:
    often = Resident((packed,), Encoder(reader=None), torch.device("cpu"), alone=2.0)
    follow_ups = rows.lengths.earlier > 0
    assert follow_ups.any() and not follow_ups.all()
    assert (often.weight[follow_ups] == rows.weight[follow_ups]).all()
    assert (often.weight[~follow_ups] == 2 * rows.weight[~follow_ups]).all()


def _run(rows: Resident) -> Pretraining:
    torch.manual_seed(0)
    sizes = PlanConfig(hidden=32, heads=2, joint_layers=1, decoder_layers=1, inner=32)
    network = ReadingNetwork(Encoder(reader=None).reader, new_network(0, 0, None, sizes))
    draw_once(network, 0)
    return Pretraining(network, rows, Settings(160, 8, 3e-3, 0.3, 0.1, 0, parts=2))


def test_a_run_learns_and_a_resumed_one_gives_the_same_weights(
    rows: Resident, tmp_path: Path
) -> None:
    whole, first, second = _run(rows), _run(rows), _run(rows)
    for _ in range(20):
        whole.advance()
    for _ in range(7):
        first.advance()
    first.save(tmp_path / "c")
    second.resume(tmp_path / "c")
    for _ in range(13):
        second.advance()
    told, again = whole.network.state_dict(), second.network.state_dict()
    assert all(torch.equal(told[name], again[name]) for name in told)
    losses = [float(x) for x in whole.losses]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])


def test_a_step_reads_its_rows_in_parts_that_are_alike(rows: Resident) -> None:
    run = _run(rows)
    steps = [next(run._order) for _ in range(16)]
    assert {tuple(map(len, parts)) for parts in steps} == {(4, 4)}
    drawn = np.concatenate([np.concatenate(parts) for parts in steps])
    items = rows.lengths.items
    padded = sum(items[part].max() * len(part) for parts in steps for part in parts)
    shuffled = np.random.default_rng(0).permutation(drawn).reshape(-1, 4)
    assert padded < (items[shuffled].max(1) * 4).sum()


def test_of_several_rows_the_one_that_is_missed_most_is_learned_from(rows: Resident) -> None:
    run = _run(rows)
    run.settings = replace(run.settings, tried=3)
    run.survey()
    met = np.concatenate([np.concatenate(next(run._order)) for _ in range(16)])
    usual = run.misses.known[rows.sets[""]]
    assert len(met) == 16 * 8
    assert run.misses.known[met].mean() > usual.mean()
    assert set(met) <= set(rows.sets[""])


def test_a_survey_sees_what_the_network_misses_nearly(rows: Resident) -> None:
    run = _run(rows)
    run.survey()
    chosen = rows.sets[""]
    missed = run.network.missed(*rows.batch(chosen)).numpy()
    assert np.corrcoef(missed, run.misses.known[chosen])[0, 1] > 0.95


def test_what_was_learned_of_a_row_counts_for_the_next_rows_chosen(rows: Resident) -> None:
    run = _run(rows)
    for _ in range(16):
        run.advance()
    assert not run.misses.known.any()
    run.advance()
    learned = run.misses.known > 0
    assert learned.any() and set(np.flatnonzero(learned)) <= set(rows.sets[""])


def test_a_row_whose_answer_was_hidden_says_nothing_of_how_it_is_missed(rows: Resident) -> None:
    run = _run(rows)
    run.settings = replace(run.settings, bereaved=1.0)
    batch, targets = rows.batch(rows.sets[""])
    before = targets.clone()
    whole = run._hide(batch, targets)
    assert whole.equal((targets == before).all(1)) and not whole.all()


def test_misses_are_of_their_rows_alone(tmp_path: Path) -> None:
    misses = Misses(3)
    misses.see(np.array([2, 0]), np.array([4.0, math.nan]))
    assert misses.hardest(np.array([[2, 0]])).tolist() == [2]
    assert misses.hardest(np.array([[0, 2]])).tolist() == [0]
    misses.settle()
    assert misses.hardest(np.array([[0, 2], [1, 0]])).tolist() == [2, 1]
    misses.save(tmp_path / "m.npy")
    with pytest.raises(ValueError, match="is of 3 rows, not 4"):
        Misses(4).load(tmp_path / "m.npy")


def test_a_row_that_was_learned_from_often_comes_last() -> None:
    misses = Misses(2)
    misses.see(np.array([0, 1]), np.array([4.0, 1.0]))
    both = np.array([[0, 1]])
    for _ in range(3):
        misses.settle()
        assert misses.hardest(both).tolist() == [0]
        misses.meet(np.array([0]))
        # A run that was stopped here chooses as one that was not.
        assert misses.hardest(both).tolist() == [0]
    misses.settle()
    assert misses.hardest(both).tolist() == [1]


def test_dropout_drawn_once_drops_its_share_and_keeps_the_mean() -> None:
    drop = DrawnDropout(0.1, seed=0)
    x = torch.ones(512, 1024)
    torch.manual_seed(3)
    first, second = drop(x), drop(x)
    torch.manual_seed(3)
    assert torch.equal(drop(x), first)
    assert not torch.equal(first, second)
    assert abs(float((first == 0).float().mean()) - 0.1) < 0.005
    assert abs(float(first.mean()) - 1) < 0.005
    drop.train(False)
    assert torch.equal(drop(x), x)


def test_a_checkpoint_of_another_run_is_refused(rows: Resident, tmp_path: Path) -> None:
    run = _run(rows)
    run.advance()
    run.save(tmp_path / "c")
    other = Pretraining(run.network, rows, replace(run.settings, seed=1))
    with pytest.raises(ValueError, match="belongs to a run with"):
        other.resume(tmp_path / "c")


def test_synonyms_are_what_a_second_wording_puts_in_a_names_place(
    tellings: list[Telling],
) -> None:
    schema = tellings[0].schema
    name = schema.tables[0].name.replace("_", " ")
    found = replaced([(f"How many {name} are there?", "How many whatsits are there?")])
    made = with_synonyms(schema, found)
    assert made.tables[0].synonyms == ("whatsits",)
    assert all(not table.synonyms for table in made.tables[1:])


def test_what_a_question_asks_for_is_hidden_and_its_plan_refuses(rows: Resident) -> None:
    torch.manual_seed(0)
    chosen = rows.sets[""]
    batch, targets = rows.batch(chosen)
    shown, before = batch.item_mask.clone(), targets.clone()
    bereave(batch, targets, 0.0)
    assert torch.equal(targets, before) and torch.equal(batch.item_mask, shown)
    bereave(batch, targets, 1.0)
    refusal = torch.tensor([KEYWORDS.index(word) for word in ("START", "REFUSE", "END")])
    gone = (targets != before).any(1)
    assert gone.sum() > len(before) / 2
    assert torch.equal(targets[gone][:, :3], refusal.expand(int(gone.sum()), 3))
    assert not targets[gone][:, 3:].any()
    pointed = (before - len(KEYWORDS)).clamp(min=-1) + 1
    needed = torch.zeros(len(before), shown.shape[1] + 1, dtype=torch.bool)
    needed.scatter_(1, pointed, True)
    hidden = shown & ~batch.item_mask
    assert (hidden & needed[:, 1:])[gone].any(1).all()
    assert torch.equal(batch.item_mask[~gone], shown[~gone])
