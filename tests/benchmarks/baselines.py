"""What the embedded model is compared with: retrieval, and itself with one part left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

from dbt_t2s import store
from dbt_t2s.corpus.examples import Example
from dbt_t2s.model import recipe
from dbt_t2s.model.embedded import EmbeddedGenerator
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.generate import Candidate
from dbt_t2s.model.ranking import Explained
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.grammar import Grammar
from dbt_t2s.query.items import Item
from dbt_t2s.query.joins import JoinGraph
from dbt_t2s.query.linear import KEYWORDS
from dbt_t2s.query.state import State
from dbt_t2s.serve.ask import Generate
from dbt_t2s.workspace import Workspace

_ANY = frozenset(KEYWORDS) - {"START"}


def nearest(workspace: Workspace) -> Generate:
    """Retrieval: the SQL of the training question whose sentence vector is nearest."""
    rows = store.read_rows(workspace.dataset_dir / "train.parquet", Example)
    encoder = Encoder()
    known = encoder.vectors([row.question for row in rows])

    def generate(questions: Sequence[str]) -> list[tuple[Candidate, ...]]:
        likeness = encoder.vectors(questions) @ known.T
        best = [(float(each.max()), rows[int(each.argmax())]) for each in likeness]
        return [(Candidate(row.sql, max(like, 0.0)),) for like, row in best]

    return generate


def first_alone(generate: Generate) -> Generate:
    """The best candidate as it is, be it wrong for all to see: nothing else is tried."""

    def only(questions: Sequence[str]) -> list[Sequence[Candidate]]:
        return [each[:1] for each in generate(questions)]

    return only


@contextmanager
def nothing_pretrained() -> Iterator[None]:
    """Inside, networks are trained from random weights and the encoder is as it was published."""
    train = partial(recipe.train_network, weights=None)
    plain = partial(Encoder, reader=None)
    with (
        patch.object(recipe, "train_network", train),
        patch("dbt_t2s.model.encoder.Encoder", plain),
        patch("dbt_t2s.model.embedded.Encoder", plain),
    ):
        yield


class Anything(Grammar):
    """Any token may follow any other, until the plan ends."""

    def __init__(self, schema: ProjectSchema, graph: JoinGraph) -> None:
        super().__init__(schema, graph)
        self.keywords = lambda state: frozenset() if state.done else _ANY  # type: ignore[assignment]

    def items(self, state: State, items: Iterable[Item]) -> Iterator[bool]:
        return (not state.done for _ in items)

    def after_keyword(self, state: State, keyword: str) -> State:
        return State(stack=()) if keyword == "END" else state

    def after_item(self, state: State, item: Item) -> State:
        return state


class Ungrammatical(EmbeddedGenerator):
    """The model whose likeliest plan is its answer, whether or not it is one."""

    def __init__(self, model_dir: Path, schema: ProjectSchema) -> None:
        super().__init__(model_dir, schema)
        self._grammar = Anything(schema, self._index.binder.graph)

    def generate(self, questions: Sequence[str]) -> list[Sequence[Candidate]]:
        made: list[Sequence[Candidate]] = []
        linked_each = self._linker.link(questions)
        for linked, found in zip(linked_each, self.search(linked_each), strict=True):
            explained = Explained(linked)
            ordered = self._ranking.order(found.plans, explained)
            refused = self._refusal(found, ordered, explained)
            if refused > self.record.refuse_over or not ordered:
                made.append((Candidate("", refused, "refused"),))
                continue
            share, plan = ordered[0]
            written = self.sql(plan.tokens, linked.text) or "no plan: " + " ".join(plan.tokens)
            made.append((Candidate(written, share),))
        return made
