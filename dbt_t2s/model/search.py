"""Beam search under the grammar: plans that parse and bind, best first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dbt_t2s.model.linking import KEYWORD_AT, Linked
from dbt_t2s.model.network import Memory, PlanNetwork
from dbt_t2s.model.outdone import outdone
from dbt_t2s.query.grammar import Grammar, State
from dbt_t2s.query.items import Item
from dbt_t2s.query.linear import KEYWORDS

# The score of a plan with one token more, the plan's row, and the token's place among the choices.
_Next = tuple[float, int, int]
_START = KEYWORD_AT["START"]
_REFUSE = KEYWORD_AT["REFUSE"]


@dataclass(frozen=True)
class Found:
    """A finished plan: its tokens and its probability."""

    tokens: tuple[str, ...]
    probability: float


@dataclass(frozen=True)
class Searched:
    """All that the search found for one question; ``refusal`` is the chance of REFUSE."""

    plans: tuple[Found, ...]
    refusal: float


@dataclass(frozen=True)
class _Beam:
    """A plan being written: ``last`` is its last token's id, ``parent`` the row it grew from."""

    last: int
    parent: int
    tokens: tuple[str, ...]
    state: State
    score: float


class _Hunt:
    """One question's plans: those being written, the best first, and those done."""

    def __init__(self, linked: Linked, grammar: Grammar, width: int) -> None:
        self.beams = [_Beam(_START, 0, (), State(), 0.0)]
        self.done: list[_Beam] = []
        self.refusal = 0.0
        self.items = linked.items
        self.passed_over = outdone(linked)
        self._grammar = grammar
        self._width = width

    @property
    def over(self) -> bool:
        return not self.beams or _settled(self.done, self.beams[0].score, self._width)

    def allowed(self, rows: int, choices: int) -> np.ndarray:
        """Which next tokens (rows, choices) the grammar allows; none where there is no plan."""
        return _allowed(self.beams, rows, choices, self.items, self._grammar)

    def grow(self, likely: Sequence[_Next]) -> None:
        """All plans by one token, by what may come next from the likeliest on."""
        grown = _grown(self.beams, likely, self.items, self._grammar, self._width)
        self.done += [beam for beam in grown if beam.state.done]
        self.done.sort(key=lambda beam: -beam.score)
        self.beams = [beam for beam in grown if not beam.state.done][: self._width]

    @property
    def found(self) -> Searched:
        plans = tuple(Found(b.tokens, math.exp(b.score)) for b in self.done)
        return Searched(plans, self.refusal)


def search(
    network: PlanNetwork, memory: Memory, linked: Sequence[Linked], grammar: Grammar, width: int
) -> list[Searched]:
    """Plans for each question of ``memory``; those of several are written at once."""
    hunts = [_Hunt(each, grammar, width) for each in linked]
    going, written = hunts, network.unfold(memory)
    for step in range(network.config.longest_plan - 1):
        rows = max(len(hunt.beams) for hunt in going)
        scores, written = network.step(memory, written, _last(going, rows))
        if step == 0:
            for hunt, chances in zip(going, torch.softmax(scores[:, 0], -1), strict=True):
                hunt.refusal = float(chances[_REFUSE])
        for hunt, likely in zip(going, _likely(going, scores, width), strict=True):
            hunt.grow(likely)
        kept = [at for at, hunt in enumerate(going) if not hunt.over]
        if not kept:
            break
        if len(kept) < len(going):
            going = [going[at] for at in kept]
            memory, written = memory.of(torch.tensor(kept)), written.about(torch.tensor(kept))
        written = written.of(_parents(going, kept, rows))
    return [hunt.found for hunt in hunts]


def _last(hunts: Sequence[_Hunt], rows: int) -> torch.Tensor:
    """Each plan's last token (questions, rows); padding starts a plan that nobody looks at."""
    return torch.tensor([_padded([b.last for b in hunt.beams], rows) for hunt in hunts])


def _parents(hunts: Sequence[_Hunt], before: Sequence[int], rows: int) -> torch.Tensor:
    """The place of each plan's parent (questions, plans) among those of all questions ``before``,
    ``rows`` each."""
    most = max(len(hunt.beams) for hunt in hunts)
    return torch.tensor(
        [
            _padded([rows * at + beam.parent for beam in hunt.beams], most)
            for at, hunt in zip(before, hunts, strict=True)
        ]
    )


def _padded(given: list[int], size: int) -> list[int]:
    return given + given[:1] * (size - len(given))


def _likely(hunts: Sequence[_Hunt], scores: torch.Tensor, width: int) -> Iterator[list[_Next]]:
    """What may come next in each question's plans, the likeliest first."""
    never = float("-inf")
    _, rows, choices = scores.shape
    allowed = torch.from_numpy(np.stack([hunt.allowed(rows, choices) for hunt in hunts]))
    logs = _logs(scores, allowed)
    for at, hunt in enumerate(hunts):
        _hand_over(logs[at], allowed[at], hunt.passed_over)
    top = torch.topk(logs, min(2 * width, choices))
    for hunt, values, places in zip(hunts, top.values.tolist(), top.indices.tolist(), strict=True):
        likely = [
            (beam.score + value, row, at)
            for row, beam in enumerate(hunt.beams)
            for value, at in zip(values[row], places[row], strict=True)
            if value > never
        ]
        yield sorted(likely, key=lambda each: -each[0])


def _settled(done: list[_Beam], open_score: float, width: int) -> bool:
    """Whether no open plan can change the outcome: scores only fall as plans grow.

    Many unlikely short plans may be done while the likeliest is still being written.
    """
    if not done:
        return False
    hopeless = open_score < done[0].score - 3.0
    return hopeless or (len(done) >= width and open_score < done[width - 1].score)


def _allowed(
    beams: Sequence[_Beam], rows: int, choices: int, items: tuple[Item, ...], grammar: Grammar
) -> np.ndarray:
    allowed = np.zeros((rows, choices), dtype=bool)
    base = len(KEYWORDS)
    for row, beam in enumerate(beams):
        allowed[row, [KEYWORD_AT[k] for k in grammar.keywords(beam.state)]] = True
        if not beam.tokens:
            allowed[row, _REFUSE] = False  # refusing is decided by its probability, not here
        allowed[row, base : base + len(items)] = list(grammar.items(beam.state, items))
    return allowed


def _logs(scores: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """Log probabilities (…, choices) of what is allowed."""
    return torch.log_softmax(scores.masked_fill(~allowed, float("-inf")), -1)


def _hand_over(logs: torch.Tensor, allowed: torch.Tensor, passed_over: Mapping[int, int]) -> None:
    """What is passed over gives its share of ``logs`` to what outdoes it, in place."""
    for what, by in passed_over.items():
        here, there = len(KEYWORDS) + what, len(KEYWORDS) + by
        both = allowed[..., here] & allowed[..., there]
        if bool(both.any()):
            sums = torch.logaddexp(logs[..., there], logs[..., here])
            logs[..., there] = torch.where(both, sums, logs[..., there])
            logs[..., here] = logs[..., here].masked_fill(both, float("-inf"))


def _grown(
    beams: Sequence[_Beam],
    likely: Sequence[_Next],
    items: tuple[Item, ...],
    grammar: Grammar,
    width: int,
) -> list[_Beam]:
    """The best ``2 * width`` continuations, best first, at most ``width`` of one beam.

    They are looked at from the likeliest on, so that most never need to be written out.
    """
    counts = [0] * len(beams)
    grown: list[_Beam] = []
    for score, row, at in likely:
        if counts[row] == width:
            continue
        made = _after(beams[row], row, at, score, items, grammar)
        if made.state.done or _goes_on(made.state, items, grammar):
            counts[row] += 1
            grown.append(made)
            if len(grown) == 2 * width:
                break
    return grown


def _after(
    beam: _Beam, row: int, at: int, score: float, items: tuple[Item, ...], grammar: Grammar
) -> _Beam:
    """The beam with one token more, the one at ``at`` among the choices."""
    if at < len(KEYWORDS):
        token, state = KEYWORDS[at], grammar.after_keyword(beam.state, KEYWORDS[at])
    else:
        item = items[at - len(KEYWORDS)]
        token, state = item.token, grammar.after_item(beam.state, item)
    return _Beam(at, row, (*beam.tokens, token), state, score)


def _goes_on(state: State, items: tuple[Item, ...], grammar: Grammar) -> bool:
    """Whether anything can follow: a keyword may ask for an item that this question has not."""
    return bool(grammar.keywords(state)) or any(grammar.items(state, items))
