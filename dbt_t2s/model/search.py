"""Beam search under the grammar: plans that parse and bind, best first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dbt_t2s.model.linking import KEYWORD_AT, Linked
from dbt_t2s.model.network import Memory, PlanNetwork
from dbt_t2s.model.outdone import outdone
from dbt_t2s.query.grammar import Grammar, State
from dbt_t2s.query.items import Item
from dbt_t2s.query.linear import KEYWORDS

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


def search(
    network: PlanNetwork, memory: Memory, linked: Linked, grammar: Grammar, width: int
) -> Searched:
    """Plans for one question; ``memory`` holds that question alone."""
    longest = network.config.longest_plan
    beams = [_Beam(_START, 0, (), State(), 0.0)]
    written = network.unfold(memory)
    done: list[_Beam] = []
    refusal = 0.0
    passed_over = outdone(linked)
    for step in range(longest - 1):
        written = written.of(torch.tensor([b.parent for b in beams]))
        scores, written = network.step(memory, written, torch.tensor([b.last for b in beams]))
        if step == 0:
            refusal = float(torch.softmax(scores[0], -1)[_REFUSE])
        allowed = _allowed(beams, scores.shape[1], linked.items, grammar)
        logs = _logs(scores, allowed, passed_over)
        grown = _grown(beams, logs, linked.items, grammar, width)
        beams = []
        for beam in grown:
            if beam.state.done:
                done.append(beam)
            elif len(beams) < width:
                beams.append(beam)
        done.sort(key=lambda b: -b.score)
        if not beams or _settled(done, beams[0].score, width):
            break
    plans = tuple(Found(b.tokens, math.exp(b.score)) for b in done)
    return Searched(plans, refusal)


def _settled(done: list[_Beam], open_score: float, width: int) -> bool:
    """Whether no open plan can change the outcome: scores only fall as plans grow.

    Many unlikely short plans may be done while the likeliest is still being written.
    """
    if not done:
        return False
    hopeless = open_score < done[0].score - 3.0
    return hopeless or (len(done) >= width and open_score < done[width - 1].score)


def _allowed(
    beams: Sequence[_Beam], choices: int, items: tuple[Item, ...], grammar: Grammar
) -> torch.Tensor:
    """Which next tokens (beams, choices) the grammar allows."""
    allowed = np.zeros((len(beams), choices), dtype=bool)
    base = len(KEYWORDS)
    for row, beam in enumerate(beams):
        allowed[row, [KEYWORD_AT[k] for k in grammar.keywords(beam.state)]] = True
        if not beam.tokens:
            allowed[row, _REFUSE] = False  # refusing is decided by its probability, not here
        allowed[row, base : base + len(items)] = list(grammar.items(beam.state, items))
    return torch.from_numpy(allowed)


def _logs(
    scores: torch.Tensor, allowed: torch.Tensor, passed_over: Mapping[int, int]
) -> torch.Tensor:
    """Log probabilities (…, choices): what is passed over gives its share to what outdoes it."""
    never = float("-inf")
    logs = torch.log_softmax(scores.masked_fill(~allowed, never), -1)
    for what, by in passed_over.items():
        here, there = len(KEYWORDS) + what, len(KEYWORDS) + by
        both = allowed[..., here] & allowed[..., there]
        if bool(both.any()):
            sums = torch.logaddexp(logs[..., there], logs[..., here])
            logs[..., there] = torch.where(both, sums, logs[..., there])
            logs[..., here] = logs[..., here].masked_fill(both, never)
    return logs


def _grown(
    beams: Sequence[_Beam],
    logs: torch.Tensor,
    items: tuple[Item, ...],
    grammar: Grammar,
    width: int,
) -> list[_Beam]:
    """The best ``2 * width`` continuations, best first, at most ``width`` of one beam.

    They are looked at from the likeliest on, so that most never need to be written out.
    """
    top = torch.topk(logs, min(2 * width, logs.shape[1]))
    likely = [
        (beams[row].score + value, row, at)
        for row, (values, places) in enumerate(
            zip(top.values.tolist(), top.indices.tolist(), strict=True)
        )
        for value, at in zip(values, places, strict=True)
        if value > float("-inf")
    ]
    likely.sort(key=lambda each: -each[0])
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
