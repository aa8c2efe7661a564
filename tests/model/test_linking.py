"""Schema linking: what the question's words say about items, and what padding may not change."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.model import candidates
from dbt_t2s.model.attention import additive
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.linking import MOST_WORDS, RELATIONS, Linked, Linker, stack
from dbt_t2s.model.network import Batch, PlanNetwork
from dbt_t2s.model.packed import pack
from dbt_t2s.model.recipe import new_network, tensors
from dbt_t2s.model.rows import prepare, target_of
from dbt_t2s.model.schema_index import ITEM_FEATURES, SchemaIndex, today_of
from dbt_t2s.project.schema import Kind
from dbt_t2s.query.linear import KEYWORDS
from dbt_t2s.query.text import words
from tests.model.shop_schema import amount, key, one_table, shop_schema

FULL, PARTIAL, MENTION, MEANING, DESCRIBED, TABLE = range(RELATIONS)
QUESTIONS = (
    "revenue by market last month",
    "top 5 clients by purchases",
    "how many returned orders were there in Q3 2025",
    "average list price of coffee products",
    "what is the weather like",
)


@pytest.fixture(scope="module")
def linker(index: SchemaIndex) -> Linker:
    return Linker(index)


def channel(linked: Linked, word: str, token: str, at: int) -> float:
    spoken = [w.text.lower() for w in words(linked.text)]
    place = [item.token for item in linked.items].index(token)
    return float(linked.word_item[spoken.index(word), place, at])


def test_names_synonyms_values_and_dates_are_marked(linker: Linker) -> None:
    (linked,) = linker.link(["income of returned orders by market since March 2025"])
    assert channel(linked, "income", "m:revenue", FULL) == 1
    assert channel(linked, "orders", "t:orders", FULL) == 1
    assert channel(linked, "market", "c:customers.country", FULL) == 1
    assert channel(linked, "income", "t:orders", FULL) == 0
    assert channel(linked, "returned", "v:orders.status=returned", MENTION) == 1
    assert channel(linked, "orders", "c:orders.status", TABLE) == 1
    assert channel(linked, "orders", "v:orders.status=returned", TABLE) == 1
    assert channel(linked, "orders", "c:customers.country", TABLE) == 0
    assert channel(linked, "income", "m:revenue", MEANING) > 0.9
    dates = [i.token for i in linked.items if i.sort == "d"]
    assert dates == ["d:2025-03-01/"]
    assert channel(linked, "march", dates[0], MENTION) == 1
    assert channel(linked, "income", dates[0], MENTION) == 0


def test_what_is_included_shows_no_sign_of_a_condition(linker: Linker) -> None:
    asked, aside, both = linker.link(
        [
            "revenue of returned orders",
            "revenue by market, returned ones included",
            "revenue of delivered orders, returned ones included",
        ]
    )
    token = "v:orders.status=returned"
    assert token in [item.token for item in asked.items]
    assert token not in [item.token for item in aside.items]
    assert token in [item.token for item in both.items]
    said, hidden = linker.link(["commercial clients", "clients by market, commercial ones too"])
    flag = "c:customers.is_business"
    assert channel(said, "commercial", flag, FULL) == 1
    if flag in [item.token for item in hidden.items]:
        assert channel(hidden, "commercial", flag, FULL) == 0
        assert channel(hidden, "commercial", flag, MEANING) == 0


def test_a_learned_plan_keeps_its_value_though_it_is_said_to_be_included(linker: Linker) -> None:
    token = "v:orders.status=returned"
    (linked,) = linker.link(["revenue by market, returned ones included"], [(token,)])
    assert token in [item.token for item in linked.items]


def test_parts_of_names_and_descriptions_are_marked_as_such(linker: Linker) -> None:
    (linked,) = linker.link(["price of what was paid"])
    assert channel(linked, "price", "c:products.list_price", PARTIAL) == 1
    assert channel(linked, "price", "c:products.list_price", FULL) == 0
    assert channel(linked, "paid", "m:revenue", DESCRIBED) == 1


def test_a_word_that_only_means_the_same_is_near(linker: Linker) -> None:
    (linked,) = linker.link(["turnover per nation"])
    assert channel(linked, "turnover", "m:revenue", FULL) == 0
    assert channel(linked, "nation", "c:customers.country", MEANING) > 0.5


def test_what_nothing_explains_is_counted(linker: Linker) -> None:
    explained, foreign = linker.link(["revenue by country", "zodiac of the quarterback"])
    assert explained.question[2] == 0
    assert foreign.question[2] > 0.5


def test_golds_are_always_candidates(encoder: Encoder) -> None:
    names = [f"measure_{i}" for i in range(280)]
    wide = one_table(key("order_id"), *(amount(n, "9") for n in names))
    index = SchemaIndex(wide, encoder, today_of(wide))
    linker = Linker(index)
    gold = tuple(f"c:orders.measure_{i}" for i in (7, 133, 279))
    question = "something entirely different"
    without, forced = linker.link([question])[0], linker.link([question], [gold])[0]
    assert len(without.items) < 60
    assert set(gold) <= {i.token for i in forced.items}
    assert target_of(("SUM", gold[0], "END"), forced) is not None
    assert target_of(("SUM", "c:orders.unheard_of", "END"), forced) is None


def test_a_column_whose_values_are_compared_is_a_candidate(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "MOST", 1)
    monkeypatch.setattr(candidates, "LEAST", {})
    schema = shop_schema()
    linker = Linker(SchemaIndex(schema, encoder, today_of(schema)))
    (two,), (one,) = (linker.link([q]) for q in ("Germany vs France", "orders from Germany"))
    assert "c:customers.country" in {item.token for item in two.items}
    assert "c:customers.country" not in {item.token for item in one.items}


def test_gold_rows_are_hardly_ever_dropped(corpus: Corpus, index: SchemaIndex) -> None:
    examples = [vars(e) for e in corpus.examples]
    rows, dropped = prepare(examples, index, None, "")
    assert dropped == 0 and len(rows) == len(examples)
    for row, example in zip(rows, corpus.examples, strict=True):
        tokens = [
            KEYWORDS[i] if i < len(KEYWORDS) else row.linked.items[i - len(KEYWORDS)].token
            for i in row.target
        ]
        assert tokens[0] == "START"
        assert f'["{tokens[1]}"' in example.plan
        assert len(row.target) <= 64


@pytest.mark.parametrize(
    "question", ["", "?!", "the", "revenue " * 300, "Umsatz für Łódź 東京", "x" * 3000]
)
def test_odd_questions_are_linked(linker: Linker, question: str) -> None:
    (linked,) = linker.link([question])
    assert 1 <= len(linked.states) <= MOST_WORDS
    assert linked.features.shape == (len(linked.items), ITEM_FEATURES)
    for array in (linked.states, linked.features, linked.word_item, linked.question):
        assert np.isfinite(array.astype(np.float32)).all()


def test_company_does_not_change_a_question(linker: Linker) -> None:
    together = linker.link(QUESTIONS)
    for question, linked in zip(QUESTIONS, together, strict=True):
        (alone,) = linker.link([question])
        assert [i.token for i in alone.items] == [i.token for i in linked.items]
        np.testing.assert_allclose(
            alone.word_item.astype(float), linked.word_item.astype(float), atol=2e-3
        )
        np.testing.assert_allclose(
            alone.states.astype(float), linked.states.astype(float), atol=2e-3
        )
        assert (alone.item_item == linked.item_item).all()


@pytest.fixture(scope="module")
def network(index: SchemaIndex) -> PlanNetwork:
    made = new_network(len(index.items), 0, weights=None)
    made.train(False)
    return made


@torch.inference_mode()
def test_padding_changes_no_score(linker: Linker, network: PlanNetwork) -> None:
    together = linker.link(QUESTIONS)
    assert len({len(q.states) for q in together}) > 1
    assert len({len(q.items) for q in together}) > 1
    k = len(KEYWORDS)
    tokens = torch.tensor([[KEYWORDS.index("START"), KEYWORDS.index("SUM"), k + 3, k + 1]])
    batch = network.decode(
        network.encode(Batch(**stack(together))), tokens.expand(len(together), -1)
    )
    for row, linked in enumerate(together):
        alone = network.decode(network.encode(Batch(**stack([linked]))), tokens)[0]
        width = k + len(linked.items)
        assert alone.shape[-1] == width
        torch.testing.assert_close(batch[row, :, :width], alone, atol=1e-4, rtol=0)
        assert bool((batch[row, :, width:] < -1e8).all())


@torch.inference_mode()
def test_every_layer_hears_how_words_and_items_relate(linker: Linker, network: PlanNetwork) -> None:
    batch = Batch(**stack(linker.link(QUESTIONS)))
    words, mask = batch.words.shape[1], torch.cat((batch.word_mask, batch.item_mask), 1)
    biases = list(network._biases(batch, mask))
    assert len(biases) == network.config.joint_layers
    for layer, bias in zip(network._joint(), biases, strict=True):
        wanted = additive(mask)[:, None, None, :].expand(bias.shape).clone()
        relations = (batch.word_item, batch.word_item.transpose(1, 2), batch.item_item)
        kinds = (layer.word_to_item, layer.item_to_word, layer.item_to_item)
        from_words, to_words = slice(None, words), slice(words, None)
        places = ((from_words, to_words), (to_words, from_words), (to_words, to_words))
        for kind, relation, (rows, columns) in zip(kinds, relations, places, strict=True):
            wanted[:, :, rows, columns] += kind(relation).permute(0, 3, 1, 2)
        torch.testing.assert_close(bias, wanted)


@torch.inference_mode()
def test_a_packed_network_gives_the_same_scores(linker: Linker, network: PlanNetwork) -> None:
    tokens = torch.tensor([[KEYWORDS.index("START"), len(KEYWORDS) + 2]])
    packed = copy.deepcopy(network)
    pack(packed)
    scores = []
    for each in (network, packed):
        memory = each.encode(Batch(**stack(linker.link(QUESTIONS[:1]))))
        scores.append(each.decode(memory, tokens))
    torch.testing.assert_close(*scores, atol=1e-3, rtol=0)


@torch.inference_mode()
def test_the_future_changes_no_score(linker: Linker, network: PlanNetwork) -> None:
    memory = network.encode(Batch(**stack(linker.link(QUESTIONS[:1]))))
    short = torch.tensor([[1, len(KEYWORDS) + 2]])
    longer = torch.tensor([[1, len(KEYWORDS) + 2, 5, 2]])
    torch.testing.assert_close(
        network.decode(memory, short), network.decode(memory, longer)[:, :2], atol=1e-4, rtol=0
    )


@torch.inference_mode()
def test_the_loss_of_a_padded_batch_is_that_of_its_rows(
    corpus: Corpus, index: SchemaIndex, network: PlanNetwork
) -> None:
    rows, _ = prepare([vars(e) for e in corpus.examples[:6]], index, None, "")
    lengths = [len(r.target) - 1 for r in rows]
    alone = [float(network(*tensors([row]))) for row in rows]
    expected = sum(a * n for a, n in zip(alone, lengths, strict=True)) / sum(lengths)
    assert float(network(*tensors(rows))) == pytest.approx(expected, abs=1e-4)


def test_a_network_survives_the_disk(network: PlanNetwork, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path)
    again = PlanNetwork.from_pretrained(tmp_path, local_files_only=True)
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_items_know_their_kind(index: SchemaIndex) -> None:
    by_token = {i.token: i for i in index.items}
    assert by_token["c:orders.net_amount"].kind is Kind.NUMBER
    assert by_token["m:basket_value"].roots == ("orders",)
    assert len(by_token) == len(index.items) == len(index.place)
