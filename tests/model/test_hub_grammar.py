"""Hub models that write plans: nothing that they write is outside the embedded model's grammar."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from dbt_t2s.corpus.examples import Corpus
from dbt_t2s.duck import Rows
from dbt_t2s.errors import ModelError, QueryPlanError
from dbt_t2s.judge.sandbox import Sandbox
from dbt_t2s.model.hub import HubGenerator, train_hub
from dbt_t2s.model.hub_base import load_base
from dbt_t2s.model.hub_constraint import Constraint
from dbt_t2s.model.hub_encoder import Encoder
from dbt_t2s.model.hub_generate import Answerer
from dbt_t2s.model.hub_language import PlanLanguage, SqlLanguage, check_alphabet
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.linear import KEYWORDS, from_tokens, to_tokens
from dbt_t2s.query.plan import Col, Count, Plan
from dbt_t2s.query.plan_text import plan_text, plan_tokens
from dbt_t2s.sql import transpile
from tests.model import tiny
from tests.query.test_said_joins import SCHEMA as BIKES

llguidance = pytest.importorskip("llguidance")

PLANS = replace(
    tiny.SETTINGS, answers="plan", schema_context="none", batch=8, max_tokens=500, max_answer=96
)

_words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_named = st.builds(lambda sort, name: f"{sort}:{name}", st.sampled_from("tcmr"), _words)
_valued = st.builds(lambda column, value: f"v:{column.replace('=', '')}={value}", _words, _words)
_tokens = st.lists(
    st.one_of(
        st.sampled_from(KEYWORDS),
        _named,
        _valued,
        st.builds("s:{}".format, _words),
        st.builds("n:{}".format, st.integers(-99, 99)),
        st.builds("d:{}/".format, st.dates()),
    ),
    max_size=12,
)


@given(_tokens)
def test_tokens_are_read_back_from_their_text(tokens: list[str]) -> None:
    text = plan_text(tokens)
    assert "\n" not in text
    assert plan_tokens(text) == tuple(tokens)


@given(st.text(max_size=40))
def test_any_text_is_tokens_or_refused(text: str) -> None:
    with contextlib.suppress(QueryPlanError):
        assert plan_text(plan_tokens(text)).split() == text.split() or '"' in text


@pytest.fixture(scope="module", name="language")
def language_fixture(schema: ProjectSchema) -> PlanLanguage:
    return PlanLanguage(schema)


def _matcher(language: PlanLanguage) -> tuple[object, object]:
    words = tiny.make_tokenizer([language.lark[:4000]])
    from llguidance.hf import from_tokenizer

    grammar = llguidance.LLMatcher.grammar_from_lark(language.lark)
    return words, llguidance.LLMatcher(from_tokenizer(words), grammar)


def _accepts(words: object, matcher: object, text: str) -> bool:
    ids = [*words(text).input_ids, words.eos_token_id]  # type: ignore[operator, attr-defined]
    matcher.reset()  # type: ignore[attr-defined]
    return bool(matcher.validate_tokens(ids) == len(ids))  # type: ignore[attr-defined]


def test_every_plan_of_a_corpus_is_in_the_grammar_and_means_its_sql(
    language: PlanLanguage, corpus: Corpus, sandbox: Sandbox
) -> None:
    words, matcher = _matcher(language)
    assert len(corpus.examples) > 100
    for example in corpus.examples:
        text = language.taught(asdict(example))
        assert text is not None
        assert _accepts(words, matcher, text), text
        answer = language.read(text, example.question)
        assert bool(answer.sql) == bool(example.sql)
        if example.sql:
            wanted, found = sandbox.execute(example.sql), sandbox.execute(answer.sql)
            assert isinstance(wanted, Rows) and isinstance(found, Rows)
            assert sorted(map(repr, found.rows)) == sorted(map(repr, wanted.rows))


@pytest.mark.parametrize(
    "text",
    [
        "select count(*) from orders",
        "COUNT t:orders",
        "COUNT t:no_such_table END",
        "COUNT c:orders.amount END",
        "REFUSE END",
    ],
)
def test_what_is_no_plan_is_outside(language: PlanLanguage, text: str) -> None:
    assert not _accepts(*_matcher(language), text)
    if text != "REFUSE END":
        assert not language.read(text, "").sql


def test_a_model_that_knows_nothing_still_writes_plans(
    base_dir: Path, schema: ProjectSchema
) -> None:
    base = load_base(str(base_dir))
    encoder = Encoder(base, schema, PLANS)
    constraint = Constraint(encoder.language.lark, base.tokenizer, 600, "base")
    masking = constraint.masking(0)
    torch.manual_seed(3)
    written = torch.zeros((4, 0), dtype=torch.long)
    ended = 0
    for _ in range(120):
        scores = masking(written, torch.randn(4, len(base.tokenizer)))
        assert torch.isfinite(scores).any(dim=1).all()
        written = torch.cat([written, scores.argmax(-1, keepdim=True)], dim=1)
    for row in written.tolist():
        if constraint.end in row:
            ended += 1
            text = base.tokenizer.decode(row, skip_special_tokens=True)
            if not text.startswith("REFUSE: "):
                assert from_tokens(plan_tokens(text)) is not None
    assert ended
    model = Answerer(base, base.model, encoder, replace(PLANS, max_answer=24))
    assert all(model.generate(["how many orders", "total amount by country"]))


def test_plans_are_learned_by_heart_and_answered_as_sql(
    base_dir: Path, schema: ProjectSchema, corpus: Corpus, tmp_path: Path
) -> None:
    plans = sorted((e for e in corpus.examples if e.sql), key=lambda e: len(e.plan))
    rows = [{**_row(example), "split": "train"} for example in plans[:40:10]]
    rows.append({"question": "all profit", "sql": "", "refusal": "profit", "split": "train"})
    unplanned = {"question": "q", "sql": "select 1", "plan": "", "split": "train"}
    metrics = train_hub(
        [*rows, unplanned], schema, str(base_dir), tmp_path, max_steps=90, settings=PLANS
    )
    assert (metrics["rows"], metrics["skipped"]) == (len(rows), 1)
    answers = HubGenerator(tmp_path, schema).generate([row["question"] for row in rows])
    found = [best.sql for best, *_ in answers]
    assert [_plain(sql) for sql in found] == [_plain(row["sql"]) for row in rows]
    assert answers[-1][0].refusal == "profit"


def _plain(sql: str) -> str:
    """SQL in one form: answers are laid out for people."""
    return transpile(sql, "duckdb", "duckdb") if sql else ""


def _row(example: object) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(example).items()}  # type: ignore[call-overload]


def test_a_tokenizer_that_cannot_write_the_language_is_refused(
    schema: ProjectSchema, language: PlanLanguage
) -> None:
    raw = Tokenizer(models.WordLevel({"?": 0, "select": 1, "a": 2, "</s>": 3}, unk_token="?"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    make: Any = PreTrainedTokenizerFast
    words = make(tokenizer_object=raw, eos_token="</s>", unk_token="?")
    for each in (SqlLanguage(schema), language):
        with pytest.raises(ModelError, match="tokenizer cannot write") as refused:
            check_alphabet(each, words, "some/base")
        assert refused.value.where == "some/base"
        assert "knows every byte" in refused.value.hint
    check_alphabet(language, tiny.make_tokenizer(["a"]), "some/base")
    assert json.loads(json.dumps(language.lark))


def test_a_plan_is_joined_as_the_question_says() -> None:
    language = PlanLanguage(BIKES)
    plan = plan_text(to_tokens(Plan((Col("stations", "city"), Count("trips")))))
    assert "end_station_id" in language.read(plan, "where did the trips end?").sql
    assert "start_station_id" in language.read(plan, "trips by city").sql
