"""Writes the schemas and rows: ``python -m tests.tools.pretrain DATA OUT``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dbt_t2s.store import write_json, write_text
from tests.tools.pretrain.rows import Found, Row, find, read_schemas
from tests.tools.pretrain.split import HELD_OUT


def main(data: Path, out: Path) -> None:
    found_schemas, questions = read_schemas(data)
    for name, schema in found_schemas.items():
        write_json(out / "schemas" / f"{name}.json", schema)
    found = find(found_schemas, questions)
    write_text(out / "rows.jsonl", "".join(_line(row) for row in found.rows))
    write_text(out / "refused.jsonl", "".join(_line(r, why=w) for r, w in found.refused))
    unsaid = "".join(_line(r, missing=m, why=w) for r, m, w in found.unsaid)
    write_text(out / "unsaid.jsonl", unsaid)
    none = "".join(json.dumps({**q, "why": w}) + "\n" for q, w in found.unconverted)
    write_text(out / "unconverted.jsonl", none)
    _report(found, len(questions))


def _line(row: Row, **more: str) -> str:
    given = {"db_id": row.db_id, "question": row.question, "plan": list(row.tokens)}
    whole = {**given, "source": row.source, "held_out": row.db_id in HELD_OUT, **more}
    return json.dumps(whole, ensure_ascii=False) + "\n"


def _report(found: Found, total: int) -> None:
    print(f"{len(found.rows)} rows of {total} questions")
    for stage, counts in found.losses().items():
        print(f"\n{stage}: {sum(counts.values())}")
        for reason, count in counts.most_common(25):
            print(f"  {count:5} {reason}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
