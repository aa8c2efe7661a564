"""Beam search under the grammar: plans that parse and bind, best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from dbt_t2s.model.linking import Linked
from dbt_t2s.model.network import Memory, PlanNetwork
from dbt_t2s.model.outdone import outdone
from dbt_t2s.query.grammar import Grammar, State
from dbt_t2s.query.items import Item
from dbt_t2s.query.linear import KEYWORDS

_KEYWORD_AT = {name: i for i, name in enumerate(KEYWORDS)}
_START = _KEYWORD_AT["START"]
_REFUSE = _KEYWORD_AT["REFUSE"]


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
        grown: list[_Beam] = []
        for row, beam in enumerate(beams):
            allowed = _allowed(beam, scores.shape[1], linked.items, grammar)
            if bool(allowed.any()):
                logs = _logs(scores[row], allowed, passed_over)
                grown.extend(_grow(beam, row, logs, linked.items, grammar, width))
        grown.sort(key=lambda b: -b.score)
        beams = []
        for beam in grown[: 2 * width]:
            if beam.state.done:
                done.append(beam)
            elif len(beams) < width:
                beams.append(beam)
        done.sort(key=lambda b: -b.score)
        if not beams or _settled(done, beams[0].score, width):
            break
    plans = tuple(Found(b.tokens, float(torch.tensor(b.score).exp())) for b in done)
    return Searched(plans, refusal)


def _settled(done: list[_Beam], open_score: float, width: int) -> bool:
    """Whether no open plan can change the outcome: scores only fall as plans grow.

    Many unlikely short plans may be done while the likeliest is still being written.
    """
    if not done:
        return False
    hopeless = open_score < done[0].score - 3.0
    return hopeless or (len(done) >= width and open_score < done[width - 1].score)


def _allowed(beam: _Beam, choices: int, items: tuple[Item, ...], grammar: Grammar) -> torch.Tensor:
    """Which next tokens (choices,) the grammar allows."""
    allowed = torch.zeros(choices, dtype=torch.bool)
    for keyword in grammar.keywords(beam.state):
        allowed[_KEYWORD_AT[keyword]] = True
    if not beam.tokens:
        allowed[_REFUSE] = False  # refusing is decided by its probability, not by the search
    fits = torch.tensor(list(grammar.items(beam.state, items)), dtype=torch.bool)
    allowed[len(KEYWORDS) : len(KEYWORDS) + len(items)] = fits
    return allowed


def _logs(
    scores: torch.Tensor, allowed: torch.Tensor, passed_over: Mapping[int, int]
) -> torch.Tensor:
    """Log probabilities (choices,): what is passed over gives its share to what outdoes it."""
    logs = torch.log_softmax(scores.masked_fill(~allowed, float("-inf")), -1)
    for what, by in passed_over.items():
        here, there = len(KEYWORDS) + what, len(KEYWORDS) + by
        if bool(allowed[here]) and bool(allowed[there]):
            logs[there] = torch.logaddexp(logs[there], logs[here])
            logs[here] = float("-inf")
    return logs


def _grow(
    beam: _Beam,
    row: int,
    logs: torch.Tensor,
    items: tuple[Item, ...],
    grammar: Grammar,
    width: int,
) -> list[_Beam]:
    """The beam's best continuations."""
    base = len(KEYWORDS)
    top = torch.topk(logs, min(2 * width, int((logs > float("-inf")).sum())))
    grown: list[_Beam] = []
    for value, at in zip(top.values.tolist(), top.indices.tolist(), strict=True):
        if len(grown) == width:
            break
        if at < base:
            token, state = KEYWORDS[at], grammar.after_keyword(beam.state, KEYWORDS[at])
        else:
            item = items[at - base]
            token, state = item.token, grammar.after_item(beam.state, item)
        if state.done or _goes_on(state, items, grammar):
            grown.append(_Beam(at, row, (*beam.tokens, token), state, beam.score + value))
    return grown


def _goes_on(state: State, items: tuple[Item, ...], grammar: Grammar) -> bool:
    """Whether anything can follow: a keyword may ask for an item that this question has not."""
    return bool(grammar.keywords(state)) or any(grammar.items(state, items))
