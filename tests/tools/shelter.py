"""A small project that every dbt since 1.6 reads, for the artifacts in ``tests/data/shelter``.

``python -m tests.tools.shelter write FOLDER`` writes it. There, with the dbt of the wanted version,
run ``dbt build --profiles-dir .`` and ``dbt docs generate --profiles-dir .``; then
``python -m tests.tools.shelter keep FOLDER VERSION`` puts what the tests need of its artifacts
under ``tests/data/shelter/VERSION``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data" / "shelter"
# What nothing reads, and what tells whose machine it was.
LEFT_OUT = ("macros", "docs", "parent_map", "child_map", "group_map", "selectors")
PRIVATE = ("user_id", "invocation_id", "project_id", "send_anonymous_usage_stats")

FILES = {
    "dbt_project.yml": """
name: shelter
version: '1.0'
profile: shelter
models:
  shelter:
    +materialized: table
""",
    "profiles.yml": """
shelter:
  target: dev
  outputs:
    dev: {type: duckdb, path: shelter.duckdb, threads: 1}
""",
    "seeds/raw_dogs.csv": """
dog_id,dog_name,breed
1,Rex,hound
2,Ida,terrier
3,Bo,hound
""",
    "seeds/raw_walks.csv": """
walk_id,dog_id,walked_on,minutes,status
1,1,2024-01-05,30,done
2,1,2024-01-20,15,missed
3,2,2024-02-03,45,done
4,3,2024-02-14,20,done
""",
    "models/dogs.sql": """
select dog_id, dog_name, breed from {{ ref('raw_dogs') }}
""",
    "models/walks.sql": """
select walk_id, dog_id, cast(walked_on as date) as walked_on, minutes, status
from {{ ref('raw_walks') }}
""",
    "models/staging/stg_walks.sql": """
select walk_id from {{ ref('walks') }} where status = 'done'
""",
    "models/metricflow_time_spine.sql": """
select cast(range as date) as date_day
from range(date '2024-01-01', date '2024-04-01', interval 1 day)
""",
    "models/schema.yml": """
version: 2
groups:
  - name: walking
    owner: {name: Walkers, email: walk@example.org}
models:
  - name: walks
    description: One row per walk.
    access: public
    group: walking
    meta:
      synonyms: [outings]
      t2s:
        rules:
          - name: real_walk
            sentence: A real walk was not missed.
            expression: status <> 'missed'
    columns:
      - name: walk_id
        description: Key of a walk.
        tests: [unique, not_null]
      - name: dog_id
        tests:
          - relationships: {to: ref('dogs'), field: dog_id}
      - name: walked_on
        description: The day of the walk.
      - name: minutes
        description: How long it took, in minutes.
        meta: {t2s: {synonyms: [length]}}
      - name: status
        tests:
          - accepted_values: {values: [done, missed]}
  - name: dogs
    description: One row per dog.
    access: public
    columns:
      - name: dog_id
        tests: [unique, not_null]
      - name: dog_name
        tags: [pii]
sources:
  - name: raw
    schema: main
    tables:
      - name: visits
        description: Who came.
exposures:
  - name: walk_board
    type: dashboard
    owner: {name: Ada, email: ada@example.org}
    depends_on: [ref('walks')]
    description: How much the dogs walk.
semantic_models:
  - name: walks
    model: ref('walks')
    defaults: {agg_time_dimension: walked_on}
    entities:
      - {name: walk, type: primary, expr: walk_id}
      - {name: dog, type: foreign, expr: dog_id}
    dimensions:
      - {name: walked_on, type: time, type_params: {time_granularity: day}}
      - {name: status, type: categorical}
    measures:
      - {name: walks, agg: count, expr: walk_id}
      - {name: minutes_walked, agg: sum, expr: minutes}
  - name: dogs
    model: ref('dogs')
    entities:
      - {name: dog, type: primary, expr: dog_id}
    dimensions:
      - {name: breed, type: categorical}
metrics:
  - name: walks
    label: Walks
    meta: {synonyms: [strolls]}
    description: How many walks were made.
    type: simple
    type_params: {measure: walks}
    filter: "{{ Dimension('walk__status') }} = 'done'"
  - name: minutes_walked
    label: Minutes walked
    description: How long all walks took.
    type: simple
    type_params: {measure: minutes_walked}
  - name: minutes_per_walk
    label: Minutes per walk
    description: How long a walk takes.
    type: ratio
    type_params: {numerator: minutes_walked, denominator: walks}
""",
    "analyses/by_breed.sql": """
select d.breed, sum(w.minutes) as minutes
from {{ ref('walks') }} as w join {{ ref('dogs') }} as d on w.dog_id = d.dog_id
where w.status = 'done' group by d.breed
""",
}


def write(root: Path) -> None:
    """The project's files under ``root``."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"))


def keep(target: Path, folder: Path) -> None:
    """The artifacts under ``target``, without what nothing reads, under ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("manifest", "catalog", "semantic_manifest"):
        content = json.loads((target / f"{name}.json").read_text())
        for key in PRIVATE:
            content.get("metadata", {}).pop(key, None)
        for node in content.get("nodes", {}).values():
            node.pop("root_path", None)
            node.get("depends_on", {}).pop("macros", None)
        content |= {key: {} for key in LEFT_OUT if key in content}
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    root = Path(sys.argv[2])
    if sys.argv[1] == "write":
        write(root)
    else:
        keep(root / "target", DATA / sys.argv[3])
