"""What training on a project's own corpus does to how people's questions are read.

    python -m tests.tools.pretrain.adapt PROJECTS --rate 2e-4 --minutes 1.5

For each project that was held out: the share of its written questions whose plan is exactly right
(each token chosen with the gold's before it), and which of them would be refused, with the shipped
weights, with those trained on the machine-made corpus, and with means of both.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import torch

from dbt_t2s.model import quantized
from dbt_t2s.model.encoder import Encoder
from dbt_t2s.model.network import PlanNetwork
from dbt_t2s.model.recipe import WEIGHTS, Recipe, Run, blend, new_network, settle
from dbt_t2s.model.recipe import tensors as lay_out
from dbt_t2s.model.rows import Row, prepare
from dbt_t2s.model.schema_index import SchemaIndex
from dbt_t2s.query.linear import KEYWORDS
from tests.tools.pretrain.invented import Asked, Checker, read_project, read_questions
from tests.tools.pretrain.machine import believed
from tests.tools.pretrain.retell import question
from tests.tools.pretrain.split import HELD_OUT_PROJECTS

_REFUSE = KEYWORDS.index("REFUSE")
_KEPT = (1.0, 0.75, 0.5, 0.25, 0.0)


@torch.inference_mode()
def measured(network: PlanNetwork, rows: Sequence[Row]) -> tuple[float, float, float]:
    """Exact plans and refusals among the answerable, refusals among the others."""
    network.train(False)
    exact, wrongly, rightly, answerable = 0, 0, 0, 0
    for at in range(0, len(rows), 32):
        batch, targets = lay_out(rows[at : at + 32])
        scores = network.decode(network.encode(batch), targets[:, :-1])
        wanted = targets[:, 1:]
        same = ((scores.argmax(-1) == wanted) | (wanted == 0)).all(1)
        refused = scores[:, 0].softmax(-1)[:, _REFUSE] > 0.5
        asked = wanted[:, 0] != _REFUSE
        exact += int((same & asked).sum())
        wrongly += int((refused & asked).sum())
        rightly += int((refused & ~asked).sum())
        answerable += int(asked.sum())
    others = max(len(rows) - answerable, 1)
    return exact / max(answerable, 1), wrongly / max(answerable, 1), rightly / others


def _row(text: str, tokens: Sequence[str], phase: int) -> dict[str, object]:
    asked = question(text, tokens, 1)
    return {"question": text, "plan": json.dumps(asked.tokens), "phase": phase}


def adapt(path: Path, recipe: Recipe, refusals: float, count: int) -> list[tuple[float, ...]]:
    """Figures (exact, refused wrongly, rightly) for each share of the shipped weights."""
    schema = read_project(path)
    checker = Checker(schema)
    index = SchemaIndex(schema, Encoder(), date.fromisoformat(schema.as_of))
    asked = [a for a in read_questions(path.with_suffix(".txt")) if isinstance(a, Asked)]
    good = [_row(a.question, a.tokens, 3) for a in asked if not checker.problem(a)]
    written, _ = prepare(good, index, None, "")
    drawn = believed(schema, count, 5)
    drawn = [d for i, d in enumerate(drawn) if d[1][0] != "REFUSE" or i % 100 < 100 * refusals]
    machine, _ = prepare([_row(q, p, f) for q, p, f in drawn], index, None, "")
    network = new_network(len(index.items), 0)
    settle(network, recipe.settled)
    run = Run(network, machine, recipe, 0, recipe.steps(len(machine)))
    while run.step < run.steps:
        run.advance()
    trained = {k: v.clone() for k, v in network.state_dict().items()}
    figures: list[tuple[float, ...]] = []
    for kept in _KEPT:
        network.load_state_dict(trained)
        blend(network, quantized.read(WEIGHTS), kept)
        figures.append(measured(network, written))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", type=Path)
    parser.add_argument("--rate", type=float, default=Recipe().rate)
    parser.add_argument("--minutes", type=float, default=Recipe().minutes)
    parser.add_argument("--refusals", type=float, default=1.0, help="share of refusals learned")
    parser.add_argument("--examples", type=int, default=2500)
    parser.add_argument("--only", nargs="*", default=sorted(HELD_OUT_PROJECTS))
    given = parser.parse_args()
    recipe = replace(Recipe(), rate=given.rate, minutes=given.minutes)
    for name in given.only:
        figures = adapt(given.projects / f"{name}.yml", recipe, given.refusals, given.examples)
        told = ", ".join(
            f"{kept:.0%}: {e:.3f} ({w:.2f} {r:.2f})"
            for kept, (e, w, r) in zip(_KEPT, figures, strict=True)
        )
        print(f"{name}: shipped weights' share: exact (refused wrongly, rightly): {told}")


if __name__ == "__main__":
    main()
