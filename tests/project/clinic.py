"""A small project that any warehouse can build: a vet's visits, with a column of every kind."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import ROOT

FILES = {
    "dbt_project.yml": """
name: clinic
version: "1.0"
profile: clinic
models: {clinic: {+materialized: table}}
on-run-end: "{{ 'create sequence if not exists public.made' if target.type == 'postgres' }}"
seeds: {clinic: {raw_pets: {+column_types: {tag: varchar(10)}}}}
""",
    "packages.yml": f"packages:\n  - local: {ROOT}\n",
    "profiles.yml": """
clinic:
  target: duck
  outputs:
    duck: {type: duckdb, path: clinic.duckdb, threads: 1}
    pg:
      type: postgres
      host: "{{ env_var('CLINIC_HOST', '/none') }}"
      port: 5433
      user: t2s
      password: none
      dbname: postgres
      schema: Vet
      threads: 1
      connect_timeout: 2
""",
    "seeds/raw_pets.csv": """pet_id,name,species,tag,owner_email
1,Ada,dog,AB-101,ada@example.org
2,Ben,cat,CD-202,ben@example.org
3,Cléo,dog,EF-303,
4,O'Neil,dog,GH-404,dot@example.org
""",
    "seeds/raw_visits.csv": """visit_id,pet_id,seen_at,paid,weight,is_urgent,note
1,1,2024-01-05 09:30:00,100.50,12.25,false,
2,1,2024-01-20 10:00:00,50.00,12.5,true,limps
3,2,2024-02-03 11:15:30,75.50,,false,
4,4,2024-02-14 08:00:00,-20.00,30,true,bill was wrong
5,9,2024-03-01 16:45:00,80.00,4.75,false,
6,,2024-03-09 17:00:00,0.00,5,,
""",
    "seeds/raw_log.csv": """sql
select count(*) from "Vet".visits where paid > 70
"select v.paid from ""Vet"".visits as v join ""Vet"".pets as p on v.pet_id = p.pet_id"
""",
    "models/pets.sql": "select * from {{ ref('raw_pets') }}",
    "models/visits.sql": """
select
    visit_id,
    pet_id,
    cast(seen_at as timestamp) as seen_at,
    cast(seen_at as date) as "Seen On",
    cast(paid as numeric(10, 2)) as paid,
    cast(weight as double precision) as weight,
    is_urgent,
    note,
    case when paid > 70 then 'dear' when paid >= 0 then 'cheap' end as price_class
from {{ ref('raw_visits') }}
""",
    "models/models.yml": """
models:
  - name: pets
    columns:
      - name: pet_id
        data_tests: [unique, not_null]
      - name: owner_email
        config: {meta: {pii: true}}
  - name: visits
    config:
      meta:
        t2s:
          rules:
            - name: real_visit
              sentence: A visit that was paid back is none.
              expression: paid >= 0
    columns:
      - name: visit_id
        data_tests: [unique, not_null]
      - name: pet_id
        data_tests:
          - relationships: {arguments: {to: ref('pets'), field: pet_id}}
""",
}


def write(root: Path) -> Path:
    """Write the project under ``root`` and return it."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    return root
