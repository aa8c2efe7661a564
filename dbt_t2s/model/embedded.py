"""The embedded model in use: question → linked items → plans → SQL."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError

from dbt_t2s import sql as sql_door
from dbt_t2s import store
from dbt_t2s.errors import ModelError, QueryPlanError
from dbt_t2s.model import known_vectors, remembered
from dbt_t2s.model.choosing import Heard
from dbt_t2s.model.chunks import FILLERS
from dbt_t2s.model.conversing import Conversing
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.framing import Framing
from dbt_t2s.model.generate import Candidate, Followed
from dbt_t2s.model.linking import Linked, Linker, stack
from dbt_t2s.model.network import Batch, PlanNetwork
from dbt_t2s.model.packed import has_bf16, pack
from dbt_t2s.model.ranking import Explained, Ranking
from dbt_t2s.model.record import ModelRecord, read_record
from dbt_t2s.model.remembered import Memory, Recalled
from dbt_t2s.model.rows import target_of
from dbt_t2s.model.schema_index import SchemaIndex, today_of
from dbt_t2s.model.search import Found, Searched, search
from dbt_t2s.model.spelling import Spelling
from dbt_t2s.model.turns import Turn
from dbt_t2s.model.written import Draft, Written
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.bounded import bounded
from dbt_t2s.query.frames import Frame, frame_of
from dbt_t2s.query.grammar import Grammar
from dbt_t2s.query.linear import REFUSAL, from_tokens, to_tokens
from dbt_t2s.query.named import without_named
from dbt_t2s.query.once import given_once
from dbt_t2s.query.plan import Plan
from dbt_t2s.query.plan_text import plan_text
from dbt_t2s.query.preamble import asked, plainly
from dbt_t2s.query.rates import divides_a_rate
from dbt_t2s.query.said_apart import left_out
from dbt_t2s.query.said_average import over_those
from dbt_t2s.query.said_bounds import said_bounds
from dbt_t2s.query.said_count import counted_rows
from dbt_t2s.query.said_grain import by_grain
from dbt_t2s.query.said_growth import without_growth
from dbt_t2s.query.said_included import uncounted
from dbt_t2s.query.said_known import where_known
from dbt_t2s.query.said_names import names_alone
from dbt_t2s.query.said_nearest import of_the_nearest
from dbt_t2s.query.said_none import none_as_known
from dbt_t2s.query.said_order import by_worth, in_order
from dbt_t2s.query.said_overall import with_the_whole
from dbt_t2s.query.said_past import as_happened
from dbt_t2s.query.said_peers import among_peers, said_peers
from dbt_t2s.query.said_places import in_named_places
from dbt_t2s.query.said_rules import by_rule
from dbt_t2s.query.said_sides import on_the_side_said
from dbt_t2s.query.said_split import apart
from dbt_t2s.query.said_to_date import to_date
from dbt_t2s.query.said_within import without_parts
from dbt_t2s.query.self_counted import counts_itself
from dbt_t2s.query.text import STOP_WORDS, words

WIDTH = 6
_AT_ONCE = 8  # questions searched together; more gain little, and each waits for the longest plan
# What a refusal never names as unknown.
_SAYS_NOTHING = STOP_WORDS | FILLERS
_SAID_UNANSWERABLE = "somebody said of such a question that this project's data does not answer it"


class EmbeddedGenerator:
    """Answers questions over one schema on the CPU."""

    def __init__(self, model_dir: Path, schema: ProjectSchema) -> None:
        self.record: ModelRecord = read_record(model_dir)
        encoder = Encoder()
        encoder.pack()
        known = known_vectors.read(model_dir)
        self._index = SchemaIndex(schema, encoder, today_of(schema), known)
        self._linker = Linker(self._index)
        self._ranking = Ranking()
        self._grammar = Grammar(schema, self._index.binder.graph)
        self._dialect = schema.dialect
        if self.record.schema and self.record.schema != store.fingerprint(schema):
            raise _other_schema(model_dir)
        self._network = _load_network(model_dir, len(self._index.items))
        pack(self._network, torch.bfloat16 if has_bf16() else torch.float32)
        self._memory = Memory(remembered.read(model_dir), encoder, self._link)
        self._spelling = Spelling(self._index)
        self._conversing = Conversing(self._index, self._linker, self, self._spelling)
        self._framing = Framing(self._index, self._conversing, self._answers, self.sql)

    def generate(self, questions: Sequence[str]) -> list[Sequence[Candidate]]:
        """Up to ``WIDTH`` candidates each, best first; one without SQL where it refuses."""
        with _one_thread():
            linked = self._linker.link([self._read(question) for question in questions])
            found = self.search(linked)
            return [self._one(*each) for each in zip(linked, found, strict=True)]

    def follow(self, question: str, before: Sequence[Turn]) -> Followed:
        """What ``question`` asks after the answers of ``before``, the last one last."""
        with _one_thread():
            framed = self._framing.follow(question, before)
            return framed or self._conversing.follow(question, before)

    def hear(self, question: str, told: str, history: tuple[Plan, ...]) -> Heard:
        """All that ``question`` may mean after the plans of ``history``; ``told`` is all that was
        said."""
        with _one_thread():
            return self._conversing.hear(question, told, history)

    @property
    def reads_before(self) -> bool:
        return self._network.reads_before

    def alone(self, linked: Linked) -> Sequence[Candidate]:
        """Candidates for one question that leans on nothing."""
        return self._one(linked, self.search([linked])[0])

    @torch.inference_mode()
    def likely(self, linked: Linked, plans: Sequence[Sequence[str]]) -> list[float | None]:
        """The log probability of each plan; None where the question lacks an item of it."""
        targets = [target_of(plan, linked) for plan in plans]
        able = [t for t in targets if t is not None and len(t) < self._network.config.longest_plan]
        if not able:
            return [None] * len(plans)
        tokens = torch.zeros(len(able), max(map(len, able)), dtype=torch.long)
        for row, target in enumerate(able):
            tokens[row, : len(target)] = torch.tensor(target)
        one = self._network.encode(Batch(**stack([linked])))
        scores = self._network.decode(one.repeated(len(able)), tokens[:, :-1])
        logs = torch.log_softmax(scores, -1).gather(2, tokens[:, 1:, None])[..., 0]
        sums = iter((logs * (tokens[:, 1:] > 0)).sum(1).tolist())
        known = set(map(id, able))
        return [next(sums) if id(t) in known else None for t in targets]

    @torch.inference_mode()
    def search(self, linked: Sequence[Linked]) -> list[Searched]:
        """What is found for each question; those of like length are searched together."""
        found: dict[int, Searched] = {}
        order = sorted(range(len(linked)), key=lambda at: _length(linked[at]))
        for start in range(0, len(order), _AT_ONCE):
            places = order[start : start + _AT_ONCE]
            several = [linked[at] for at in places]
            memory = self._network.encode(Batch(**stack(several)))
            made = search(self._network, memory, several, self._grammar, WIDTH)
            found.update(zip(places, made, strict=True))
        return [
            Searched(self._as_said(found[at].plans, each.text), found[at].refusal)
            for at, each in enumerate(linked)
        ]

    def _as_said(self, plans: Sequence[Found], text: str) -> tuple[Found, ...]:
        """The plans with what is compared as the question says; what becomes one is one."""
        bounds, peers, schema = said_bounds(text), said_peers(text), self._index.schema
        binder, today = self._index.binder, self._index.today
        counted = binder.counted_in.said(text)

        def meant(plan: Plan) -> Plan:
            plan = without_growth(uncounted(plan, counted), text, schema)
            undated = without_named(plan, text, schema, today)
            undated = as_happened(without_parts(undated, text, schema), text, schema)
            named = in_named_places(names_alone(undated, text, schema), text, schema, binder)
            nearest = of_the_nearest(named, text, schema, binder)
            once = by_grain(given_once(nearest, text, schema), text, schema)
            compared = among_peers(bounded(once, bounds), peers, schema)
            compared = on_the_side_said(with_the_whole(compared, text, binder), text)
            compared = apart(by_worth(compared, text), text)
            known = counted_rows(none_as_known(compared, text, schema), text, schema, today)
            ruled = where_known(by_rule(left_out(known, text), text, schema), text, schema)
            dated = to_date(in_order(ruled, text), text, binder, today)
            return over_those(dated, text, schema)

        chances: dict[tuple[str, ...], float] = {}
        for plan in plans:
            tokens = self._put_right(plan.tokens, meant)
            chances[tokens] = chances.get(tokens, 0.0) + plan.probability
        found = tuple(Found(tokens, chance) for tokens, chance in chances.items())
        sensible = tuple(each for each in found if not self._is_odd(each.tokens))
        return sensible or found

    def _is_odd(self, tokens: Sequence[str]) -> bool:
        """Whether nobody would ask for such a plan."""
        plan, index = _read(tokens), self._index
        if plan is None:
            return False
        if len(set(plan.where)) < len(plan.where):
            return True  # a condition said twice stands where another was meant
        return counts_itself(plan, index.schema) or divides_a_rate(plan, index.binder)

    def _put_right(self, tokens: tuple[str, ...], meant: Callable[[Plan], Plan]) -> tuple[str, ...]:
        """The plan as said, or as it was where that makes no SQL."""
        plan = _read(tokens)
        if plan is None:
            return tokens
        right = meant(plan)
        if right == plan:
            return tokens
        return to_tokens(right) if self.sql(to_tokens(right), "") else tokens

    def _answers(self, question: str) -> Sequence[Candidate]:
        return self.alone(self._link(question))

    def _link(self, question: str) -> Linked:
        return self._linker.link([self._read(question)])[0]

    def _read(self, question: str) -> str:
        """What is asked, without slips."""
        return self._spelling.mended(plainly(asked(question)))

    def _one(self, linked: Linked, found: Searched) -> Sequence[Candidate]:
        explained = Explained(linked)
        ordered = self._ranking.order(found.plans, explained)
        recalled = self._recalled(linked, found, ordered)
        if recalled is not None and recalled.plan == REFUSAL:
            return (Candidate("", recalled.sure, _SAID_UNANSWERABLE),)
        if recalled is None and (framed := self._framed(linked, ordered)):
            return framed
        refused = self._refusal(found, ordered, explained)
        own = self._own(linked, found.refusal, ordered, refused, recalled is not None)
        return own if recalled is None else self._first(recalled, linked, own)

    def _framed(self, linked: Linked, whole: Sequence[tuple[float, Found]]) -> Sequence[Candidate]:
        """What is made of the answers to the question inside this one; none where none is inside,
        where its answers are no such plans, and where ``whole``, the plans of the question as it
        stands, begin with one that has an item for the words around."""
        frame = frame_of(linked.text, self._index.today, self._index.schema)
        if frame is None or (whole and frame.is_said_by(whole[0][1].tokens)):
            return ()
        beside = self._beside(frame)
        if frame.beside and beside is None:
            return ()
        core = self._link(frame.core)
        found = self.search([core])[0]
        explained = Explained(core)
        ordered = self._ranking.order(found.plans, explained)
        refused = self._refusal(found, ordered, explained)
        if frame.yields and _likelier(whole, ordered):
            return ()
        around = [
            (share, Found(to_tokens(made), each.probability))
            for share, each in ordered[: 1 if frame.surely else None]
            if (plan := _read(each.tokens)) and (made := frame.made(plan, beside))
        ]
        framed = self._own(linked, found.refusal, around, refused, answers=False) if around else ()
        return framed if framed and framed[0].sql else ()

    def _beside(self, frame: Frame) -> Plan | None:
        """The best plan of the frame's second question; None where it has none or no answer."""
        if not frame.beside:
            return None
        linked = self._link(frame.beside)
        found = self.search([linked])[0]
        explained = Explained(linked)
        ordered = self._ranking.order(found.plans, explained)
        refused = self._refusal(found, ordered, explained) > self.record.refuse_over
        return None if refused or not ordered else _read(ordered[0][1].tokens)

    def _refusal(
        self, found: Searched, ordered: Sequence[tuple[float, Found]], explained: Explained
    ) -> float:
        documented = self._index.schema.documented
        return self._ranking.refusal(found.refusal, ordered, explained, documented)

    def _recalled(
        self, linked: Linked, found: Searched, ordered: Sequence[tuple[float, Found]]
    ) -> Recalled | None:
        """What people said of such a question, where it still makes an answer."""
        own = math.log(max(ordered[0][1].probability, 1e-12)) if ordered else -math.inf
        refusal = math.log(max(found.refusal, 1e-12))

        def likely(plans: Sequence[Sequence[str]]) -> list[float | None]:
            return self.likely(linked, plans)

        recalled = self._memory.recall(linked, own, refusal, likely)
        if recalled is None or recalled.plan == REFUSAL or recalled.sql:
            return recalled
        return recalled if self.sql(recalled.plan, linked.text) else None

    def _first(
        self, recalled: Recalled, linked: Linked, own: Sequence[Candidate]
    ) -> Sequence[Candidate]:
        """What is recalled before what the network would say."""
        if recalled.sql:
            return (Candidate(recalled.sql, recalled.sure), *(c for c in own if c.sql))
        made = self.sql(recalled.plan, linked.text)
        named = tuple(t for t in recalled.plan if t[:2] in ("m:", "r:"))
        draft = Draft(made, recalled.sure, named, plan_text(recalled.plan))
        return own.after(draft) if isinstance(own, Written) else Written([draft], self._dialect)

    def _own(
        self,
        linked: Linked,
        refusal: float,
        ordered: Sequence[tuple[float, Found]],
        refused: float,
        answers: bool,
    ) -> Sequence[Candidate]:
        """The network's own candidates; where it is known that there is an answer, no refusal.

        ``refusal`` is the network's own chance of it, ``refused`` the one that counts.
        """
        sure = self._ranking.confidence(refusal, ordered) * (1 - refused)
        shares: dict[str, float] = {}
        items: dict[str, tuple[str, ...]] = {}
        plans: dict[str, str] = {}
        for share, plan in ordered:
            if made := self.sql(plan.tokens, linked.text):
                shares[made] = shares.get(made, 0.0) + share
                named = tuple(token for token in plan.tokens if token[:2] in ("m:", "r:"))
                items.setdefault(made, tuple(dict.fromkeys(named)))
                plans.setdefault(made, plan_text(plan.tokens))
        if (refused > self.record.refuse_over and not answers) or not shares:
            return (Candidate("", refused, self._missing(linked)),)
        most = max(shares.values())
        drafts = [
            Draft(made, sure * share / most, items[made], plans[made])
            for made, share in sorted(shares.items(), key=lambda each: -each[1])
        ]
        return Written(drafts, self._dialect)

    def sql(self, tokens: tuple[str, ...], question: str) -> str:
        """The plan's SQL as DuckDB reads it, joined as the question says; empty where it does not
        bind."""
        try:
            plan = from_tokens(tokens)
            return "" if plan is None else self._index.binder.asked(question).sql(plan)
        except (QueryPlanError, sql_door.SqlError):
            return ""

    def _missing(self, linked: Linked) -> str:
        """What the refusal names: the words that nothing in the schema explains."""
        spoken = words(linked.text)[: len(linked.states)]
        explained = linked.word_item[..., [0, 1, 2]].max(axis=(1, 2)) > 0
        near = linked.word_item[..., 3].max(axis=1) > 0.55
        left = [
            w.text
            for w, known, close in zip(spoken, explained, near, strict=False)
            if not known and not close and w.text.lower() not in _SAYS_NOTHING
        ]
        if left:
            return f"nothing in this project is known as {', '.join(repr(w) for w in left[:4])}"
        return "this project's data does not seem to hold the answer"


def _likelier(one: Sequence[tuple[float, Found]], other: Sequence[tuple[float, Found]]) -> bool:
    """Whether the network is surer of the first plan of the one than of that of the other."""
    return bool(one) and bool(other) and one[0][1].probability > other[0][1].probability


def _read(tokens: Sequence[str]) -> Plan | None:
    """The plan that these tokens spell; None for a refusal, and where they spell none."""
    try:
        return from_tokens(tokens)
    except QueryPlanError:
        return None


def _length(linked: Linked) -> int:
    return len(linked.states) + len(linked.items)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One question's matrices are small: waking more threads takes longer than they save."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _other_schema(model_dir: Path) -> ModelError:
    return ModelError(
        "the model was trained on another schema", where=str(model_dir), hint="dbt-t2s train"
    )


def _load_network(model_dir: Path, items: int) -> PlanNetwork:
    try:
        network = PlanNetwork.from_pretrained(model_dir / "network", local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            "the model's weights are missing or corrupted",
            where=str(model_dir / "network"),
            hint="dbt-t2s train --fresh",
        ) from error
    if network.config.schema_items != items:
        raise _other_schema(model_dir)
    network.train(False)
    assert isinstance(network, PlanNetwork)
    return network
