"""How the embedded model reads follow-ups that the generator made: `python -m
tests.benchmarks.dialogues PROJECT [N]`.

PROJECT is a trained project. The first question's plan is given; a follow-up is right where its
SQL gives the rows of the gold on the first instance of the warehouse.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.corpus.dialogues import Dialogue, Dialogues
from dbt_t2s.corpus.examples import Example
from dbt_t2s.duck import QueryError
from dbt_t2s.instances import Instances, readable
from dbt_t2s.judge.compare import compare
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.model.embedded import EmbeddedGenerator
from dbt_t2s.model.schema_index import today_of
from dbt_t2s.model.turns import Turn
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.query.plan_text import plan_text


def main(project: Path, most: int) -> None:
    folder = project / "target/t2s"
    schema = store.read_json(folder / "schema.json", ProjectSchema)
    instances = store.read_json(folder / "warehouse" / "instances.json", Instances)
    examples = store.read_rows(folder / "examples.parquet", Example)
    model = EmbeddedGenerator(folder / "model", schema)
    path = folder / "warehouse" / instances.files[0]
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    with Sandbox(path, readable(schema, instances), schema.dialect, Limits()) as sandbox:
        maker = Dialogues(schema, today_of(schema), sandbox.execute)
        held_out = [e for e in examples if e.split == "test"]
        for each in maker.make(held_out, 0, most):
            asked[each.kind] += 1
            found = _is_right(model, sandbox, each)
            right[each.kind] += found
            if not found:
                print(f"{each.kind}: {each.first} | {each.question}")
    for kind, count in sorted(asked.items()):
        print(f"{kind:<18} {right[kind]:>4} of {count}")
    print(f"{'all':<18} {sum(right.values()):>4} of {sum(asked.values())}")


def _is_right(model: EmbeddedGenerator, sandbox: Sandbox, each: Dialogue) -> bool:
    before = Turn(each.first, each.first_sql, plan_text(json.loads(each.first_plan)))
    found = model.follow(each.question, (before,))
    sql = found.candidates[0].sql if found.candidates else ""
    if not sql or not each.sql:
        return bool(found.candidates) and sql == each.sql
    gold, got = sandbox.execute(each.sql), sandbox.execute(sql)
    if isinstance(gold, QueryError) or isinstance(got, QueryError):
        return False
    return compare(gold, got, "order by" in each.sql.lower() and each.kind == "order").equal


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300)
