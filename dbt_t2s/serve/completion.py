"""Names of the project that may go on from what somebody has typed so far."""

from __future__ import annotations

from collections.abc import Sequence

from dbt_t2s.project.schema import ProjectSchema

# A name of several words may be half typed.
_MOST_WORDS = 4
_SHOWN = 30


def names_of(schema: ProjectSchema) -> tuple[str, ...]:
    """Metrics, then tables, then columns, as people say them; each once."""
    found = [metric.label or metric.name for metric in schema.metrics]
    found += [word for metric in schema.metrics for word in metric.synonyms]
    for table in schema.tables:
        found += [table.label or table.name, *table.synonyms]
    for table in schema.tables:
        found += [column.label or column.name for column in table.columns]
    plain = (" ".join(name.replace("_", " ").split()).lower() for name in found)
    return tuple(dict.fromkeys(name for name in plain if name))


def completions(typed: str, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """(name, how many characters before the cursor it replaces), of most words typed first."""
    words = typed.split(" ")
    found: dict[str, int] = {}
    for count in range(min(_MOST_WORDS, len(words)), 0, -1):
        begun = " ".join(words[-count:]).lower()
        if not begun.strip() or begun != begun.lstrip():
            continue
        for name in names:
            if name.startswith(begun) and name != begun:
                found.setdefault(name, len(begun))
    return tuple(found.items())[:_SHOWN]
